/* Elements in one line each. */

export const byId = (id) => document.getElementById(id);

/* element("button", {class: "strong", onclick: f, "aria-label": "…"}, child, …):
 * functions become listeners, true an empty attribute, null and false none. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/* Writes only what changed, so that a text may be set every frame. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/* A button that is disabled while what it started goes on. */
export function actionButton(label, run, properties = {}) {
  const button = element("button", { type: "button", ...properties, onclick: start }, label);
  async function start() {
    button.disabled = true;
    try {
      await run();
    } finally {
      button.disabled = false;
    }
  }
  return button;
}

/* Rows of a definition list; returns set(name, text). */
export function definitions(list, names) {
  const values = new Map();
  for (const name of names) {
    const value = element("dd", {}, "–");
    values.set(name, value);
    list.append(element("dt", {}, name), value);
  }
  return (name, text, title = "") => {
    const value = values.get(name);
    setText(value, text);
    if (value.title !== title) value.title = title;
  };
}

export const shortKey = (address) => `${address.slice(0, 4)}…${address.slice(-4)}`;
