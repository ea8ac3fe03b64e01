/* The colours of the canvas: the page's own, read from its style sheet, so that
 * light and dark are said once. */

const COLOURS = {
  paper: "--paper", sky: "--sky", ink: "--ink", soft: "--soft", faint: "--faint", slab: "--slab",
  slabEdge: "--slab-edge", flash: "--flash", one: "--one", oneFar: "--one-far", two: "--two",
  twoFar: "--two-far",
};

export function readInk() {
  const probe = document.body.appendChild(document.createElement("i"));
  const style = getComputedStyle(probe);
  const ink = { mono: style.getPropertyValue("--mono"), sans: style.getPropertyValue("--narrow") };
  for (const [name, property] of Object.entries(COLOURS)) {
    probe.style.color = `var(${property})`;
    ink[name] = style.color;
  }
  probe.remove();
  const seat = (near, far) => ({ near, far, paper: ink.paper, flash: ink.flash });
  ink.seats = [seat(ink.one, ink.oneFar), seat(ink.two, ink.twoFar)];
  return ink;
}

/* onChange() when the colours may have changed. */
export function onInkChange(onChange) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  new MutationObserver(onChange).observe(document.documentElement,
    { attributes: true, attributeFilter: ["data-theme"] });
}
