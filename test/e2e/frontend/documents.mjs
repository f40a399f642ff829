// Reads the code blocks of the documents. The words after a block's fence are its language and, for a file of an
// application, the file's name: ```ts src/errand.ts
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..", "..");

/** Returns the blocks of a document: {language, name, text}; name is "" for a block that is no file. */
export function blocksOf(document) {
  const blocks = [];
  const pattern = /^( *)```(\S+)(?: (\S+))?\n([^]*?)^\1```$/gm;
  for (const [, indent, language, name = "", text] of readFileSync(join(root, document), "utf8").matchAll(pattern)) {
    blocks.push({ language, name, text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "") });
  }
  return blocks;
}

/** Returns the files of a document by name; fails if a name is given to two different files. */
export function filesOf(document) {
  const files = {};
  for (const { name, text } of blocksOf(document)) {
    if (name === "") continue;
    if (name in files) throw new Error(`${document} has two blocks for ${name}`);
    files[name] = text;
  }
  return files;
}
