/* What this browser keeps. Private browsing may forbid it, and what is stored may
 * be anything: then a page does without. */

const PREFIX = "erx.";

/* The value under a name, or null when there is none that passes the check. */
export function recall(name, isValid, place = localStorage) {
  try {
    const value = JSON.parse(place.getItem(PREFIX + name));
    return value !== null && isValid(value) ? value : null;
  } catch {
    return null;
  }
}

/* Returns whether the value is kept. */
export function remember(name, value, place = localStorage) {
  try {
    place.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
