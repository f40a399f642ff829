import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fill } from "../src/texts/message.ts";

const folder = new URL("../src/texts/", import.meta.url);
const catalogue = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const en = catalogue("en.json");

/** Names of the placeholders of a text. */
const placeholders = (text) => [...new Set([...text.matchAll(/\{\s*(\w+)\s*[,}]/g)].map((m) => m[1]))].sort();

for (const name of names) {
  test(`${name} has the keys and the placeholders of en.json`, () => {
    const texts = catalogue(name);
    assert.deepEqual(Object.keys(texts), Object.keys(en));
    for (const [key, text] of Object.entries(texts)) {
      assert.ok(text.trim(), key);
      assert.deepEqual(placeholders(text), placeholders(en[key]), key);
    }
  });
}

test("every key of the catalogue is used, and every key that is used exists", () => {
  const sources = readdirSync(new URL("../src/", import.meta.url), { recursive: true })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith("operations.ts"))
    .map((name) => readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8"));
  const all = sources.join("\n");
  const prefixes = [...all.matchAll(/`([\w.]+\.)\$\{/g)].map((m) => m[1]);
  const unused = Object.keys(en).filter((key) => !all.includes(`"${key}"`) && !prefixes.some((p) => key.startsWith(p)));
  assert.deepEqual(unused, []);
});

test("fill: placeholders, numbers and plural forms", () => {
  const count = "{count, plural, =0 {no task} one {# task} other {# tasks}} left";
  assert.equal(fill(count, { count: 0 }, "en"), "no task left");
  assert.equal(fill(count, { count: 1 }, "en"), "1 task left");
  assert.equal(fill(count, { count: 12345 }, "de"), "12.345 tasks left");
  assert.equal(fill("Delete “{title}”?", { title: "a {b} # c" }, "en"), "Delete “a {b} # c”?");
  assert.equal(fill("{n, plural, one {{who} has # task} other {{who} has # tasks}}", { n: 2, who: "Ann" }, "en"), "Ann has 2 tasks");
  assert.equal(fill("{missing} and {open", {}, "en"), "{missing} and {open");
});
