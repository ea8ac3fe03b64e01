/* Named cases, one after the other; the last line counts them. CASE=TEXT in the
 * environment runs those whose name contains the text. */

const cases = [];

/* Thrown by a case that cannot be tried here, with the reason. */
export class Skip extends Error {}

export function test(name, run) {
  cases.push({ name, run });
}

/* Runs all cases, and after() behind each; returns 1 where one failed, else 0. */
export async function runCases(after = () => {}) {
  const wanted = cases.filter(({ name }) => name.includes(process.env.CASE ?? ""));
  let failed = 0;
  let skipped = 0;
  for (const { name, run } of wanted) {
    const begin = performance.now();
    try {
      await run();
      console.log(`ok   ${name} (${Math.round(performance.now() - begin)} ms)`);
    } catch (error) {
      if (error instanceof Skip) {
        skipped++;
        console.log(`skip ${name}: ${error.message}`);
      } else {
        failed++;
        console.log(`FAIL ${name}\n${error.stack ?? error}`);
      }
    }
    await after();
  }
  const passed = wanted.length - failed - skipped;
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
  return failed === 0 ? 0 : 1;
}
