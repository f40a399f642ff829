import assert from "node:assert/strict";
import { join } from "node:path";

/** Opens a GraphiQL tab by its title. */
export const tab = (page, title) => page.getByTitle(title, { exact: true }).click();

/** Clicks the execute button. */
export const run = (page) => page.getByRole("button", { name: "Execute query" }).click();

/** Waits until the result pane contains the text. */
export async function shows(page, text) {
  await page.waitForFunction(
    (text) => document.querySelector(".graphiql-response .CodeMirror")?.CodeMirror.getValue().includes(text),
    text,
  );
}

/** Waits until the result pane is empty. */
export async function holdsNothing(page) {
  await page.waitForFunction(() => document.querySelector(".graphiql-response .CodeMirror")?.CodeMirror.getValue() === "");
}

/** Waits until a condition of the server is true; checks once per frame. */
export async function until(page, holds) {
  for (let frame = 0; frame < 600; frame++) {
    if (holds()) return;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  assert.fail(`never came true: ${holds}`);
}

/** Writes a screenshot to the folder SCREENSHOTS, if set. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}
