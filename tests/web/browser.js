/* Chromium for the tests: contexts whose errors are collected, and what a person
 * does on the page, in one call each. */
import fs from "node:fs";
import path from "node:path";
import { load } from "./packages.js";
import { PATIENCE_MS, sleep, until } from "./validator.js";

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true,
  deviceScaleFactor: 2 };

/* What a browser says when the validator is gone, or has no recording, on purpose. */
const EXPECTED = new RegExp(["ERR_CONNECTION_REFUSED", "WebSocket connection to",
  "ERR_CONNECTION_RESET", "ERR_EMPTY", "404.*replay"].join("|"));

export function findChromium() {
  return PATHS.find((file) => fs.existsSync(file)) ?? null;
}

export class Browser {
  static async open(url, pictures) {
    const { chromium } = load("playwright-core");
    const browser = new Browser();
    browser.process = await chromium.launch({ executablePath: findChromium(),
      args: ["--no-sandbox"] });
    browser.url = url;
    browser.pictures = pictures;
    browser.errors = [];
    return browser;
  }

  close() {
    return this.process.close();
  }

  /* Chromium's own record of some time: its events of the main thread of pages,
   * with the processor time that each took. */
  async trace(milliseconds) {
    const session = await this.process.newBrowserCDPSession();
    const events = [];
    session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
    const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.start",
      { traceConfig: { includedCategories: ["toplevel", "devtools.timeline", "cc"] } });
    await sleep(milliseconds);
    await session.send("Tracing.end");
    await complete;
    const place = ({ pid, tid }) => `${pid}/${tid}`;
    const mains = new Set(events.filter(({ name, args }) =>
      name === "thread_name" && args.name === "CrRendererMain").map(place));
    return events.filter((event) => event.ph === "X" && mains.has(place(event)));
  }

  /* Everybody leaves. */
  async clear() {
    for (const context of this.process.contexts()) await context.close();
  }

  /* A page in a context (keys, storage) of its own. */
  async person(options = DESKTOP, url = this.url) {
    const context = await this.process.newContext(options);
    return this.tab(context, "/", url);
  }

  async tab(context, where, url = this.url) {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.errors.push(error.stack));
    page.on("console", (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (message.type() === "error" && !EXPECTED.test(text)) this.errors.push(text);
    });
    await page.goto(url + where);
    return new Person(this, page);
  }
}

export class Person {
  constructor(browser, page) {
    this.browser = browser;
    this.page = page;
  }

  async go(hash) {
    await this.page.goto("about:blank"); /* as a link opens, not as a step within the page */
    await this.page.goto(`${this.browser.url}/${hash}`);
  }

  click(label) {
    return this.page.getByRole("button", { name: label, exact: true }).first().click();
  }

  text(selector) {
    return this.page.textContent(selector);
  }

  /* The address of the session that is shown. */
  async session() {
    await this.page.waitForURL(/#\/session\//);
    return this.page.url().match(/session\/(\w+)/)[1];
  }

  async see(selector, pattern, timeoutMs = PATIENCE_MS) {
    let text;
    try {
      await until(`${selector} shows ${pattern}`, async () => {
        text = (await this.text(selector)) ?? "";
        return pattern.test(text);
      }, timeoutMs);
    } catch (error) {
      throw new Error(`${error.message}; it shows '${text}'`);
    }
  }

  async number(name) {
    return this.page.$eval("#numbers", (list, wanted) => {
      const terms = [...list.querySelectorAll("dt")];
      return terms.find((term) => term.textContent === wanted).nextElementSibling.textContent;
    }, name);
  }

  async notice() {
    await this.page.waitForSelector(".notice");
    const text = await this.page.textContent(".notice");
    await this.page.click(".notice > .row button");
    return text;
  }

  /* The canvas as an image, to see whether it changes. */
  canvas() {
    return this.page.$eval("#canvas", (canvas) => canvas.toDataURL());
  }

  picture(name) {
    return this.page.screenshot({ path: path.join(this.browser.pictures, `${name}.png`) });
  }
}
