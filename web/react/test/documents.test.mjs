import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildSchema, parse, validate } from "graphql";
import * as documents from "../dist/documents.js";

test("the operations of the hooks are valid in the schema", async () => {
  const folder = join(import.meta.dirname, "..", "..", "..", "graph");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".graphqls"));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const schema = buildSchema(texts.join("\n"), { assumeValidSDL: true });
  const operations = Object.values(documents).flatMap((d) => (typeof d === "string" ? [d] : Object.values(d)));
  assert.ok(operations.length > 15);
  for (const text of operations) assert.deepEqual(validate(schema, parse(text)).map(String), [], text);
});
