// Makes the pictures of the page that README shows, light and dark: a round on a
// validator of its own, at a moment in which both fighters do something.
//
//   usage: run.sh TARGET screenshot.js ERX MODEL FOLDER
import fs from "node:fs";
import { Browser, DESKTOP } from "./browser.js";
import { TestValidator, until } from "./validator.js";
import { actionPose } from "../../node/web/world/actions.js";

const BOTS = 7; /* a list worth showing */
const ROUNDS = 10; /* tries for a good moment */
const DULL = new Set(["stand", "walk", "lost", "held"]);

const [erx, model, folder] = process.argv.slice(2);
fs.mkdirSync(folder, { recursive: true });
const validator = await TestValidator.start(erx, model, BOTS);
const browser = await Browser.open(validator.url, folder);

function isWorthIt({ frame, players: [one, two] }) {
  const isNear = Math.abs(one.x - two.x) > 8 && Math.abs(one.x - two.x) < 50;
  const isUp = [one, two].every(({ x, y }) => Math.abs(x) < 68 && y > -5 && y < 50);
  const isBusy = [one, two].some(({ action }) => !DULL.has(actionPose(action)));
  return frame > 60 && isNear && isUp && isBusy;
}

/* Takes a picture of a round in its best moment; false when there was none. */
async function takePicture(person, name) {
  await person.go("#/");
  await person.click("New session");
  await person.page.selectOption("select[name=stage]", "31");
  await person.page.selectOption("select[name=character]", "18");
  await person.click("Create");
  const address = await person.session();
  await person.see("#badge", /waiting/);
  await person.click("Let a scripted partner in");
  await person.page.mouse.move(640, 20);
  await person.see("#badge", /live/);
  await person.page.locator("#canvas").blur();
  await person.page.keyboard.down("KeyD");
  await person.page.waitForTimeout(400);
  await person.page.keyboard.up("KeyD");
  await person.page.keyboard.down("KeyJ");
  try {
    await until("something happens", async () => isWorthIt(await validator.session(address)), 8000);
  } catch {
    return false;
  }
  await person.picture(name);
  return true;
}

try {
  for (const colorScheme of ["light", "dark"]) {
    const person = await browser.person({ ...DESKTOP, colorScheme });
    let isTaken = false;
    for (let round = 0; round < ROUNDS && !isTaken; round++)
      isTaken = await takePicture(person, colorScheme);
    console.log(isTaken ? `${folder}/${colorScheme}.png` : `no good moment for ${colorScheme}`);
    if (!isTaken) process.exitCode = 1;
    await browser.clear();
  }
} finally {
  await browser.close();
  await validator.stop();
}
