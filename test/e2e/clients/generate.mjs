// Writes src/generated.ts: the types and typed documents of operations.graphql, by
// graphql-codegen from the committed SDL. An operation that the SDL does not know fails here.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse, specifiedRules, validate, buildASTSchema } from "graphql";

const folder = join(import.meta.dirname, "..", "..", "..", "graph");
const names = (await readdir(folder)).filter((name) => name.endsWith(".graphqls")).sort();
const sdl = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
const schema = parse(sdl.join("\n") + "\ndirective @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT");
const location = join(import.meta.dirname, "operations.graphql");
const document = parse(await readFile(location, "utf8"));
const faults = validate(buildASTSchema(schema), document, specifiedRules);
if (faults.length > 0) throw new AggregateError(faults, faults.join("\n"));

const scalars = { ID: "string", DateTime: "string", Date: "string", Cursor: "string", JSON: "unknown" };
const config = { scalars, strictScalars: true, skipTypename: true };
const source = await codegen({
  schema,
  documents: [{ location, document }],
  filename: "generated.ts",
  config,
  pluginMap: { operations, documents },
  plugins: [{ operations: {} }, { documents: {} }],
});
await writeFile(join(import.meta.dirname, "src", "generated.ts"), source);
