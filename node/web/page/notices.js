/* Messages at the page's foot: what happened, what to do, the validator's logs. */
import { explain } from "../chain/errors.js";
import { byId, element } from "./dom.js";

const SHOWN_MS = 6000;
const TROUBLE_MS = 15000;
const MOST = 3;

function show({ title, text, logs = [] }, isBad) {
  const box = byId("notices");
  const known = [...box.children].find((notice) => notice.dataset.title === title);
  known?.remove();
  const notice = element("div", { class: isBad ? "notice is-bad" : "notice", "data-title": title },
    element("b", {}, title), element("span", {}, text));
  if (logs.length)
    notice.append(element("details", {}, element("summary", {}, "What the program logged"),
      element("pre", { tabindex: "0" }, logs.join("\n"))));
  notice.append(element("div", { class: "row end" },
    element("button", { type: "button", onclick: () => notice.remove() }, "Close")));
  box.append(notice);
  while (box.children.length > MOST) box.firstChild.remove();
  setTimeout(() => notice.matches(":hover, :focus-within") || notice.remove(),
    isBad ? TROUBLE_MS : SHOWN_MS);
}

export const say = (title, text) => show({ title, text }, false);
export const complain = (error) => show(explain(error), true);

/* Runs what a person asked for; tells when it fails. Returns its result, or
 * undefined after a failure. */
export async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    complain(error);
    return undefined;
  }
}
