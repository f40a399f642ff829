// Builds the package in the working folder into another folder: node build.mjs FOLDER. The type declarations keep the
// comments, the scripts do not.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const out = process.argv[2];
if (!out) throw new Error("usage: node build.mjs FOLDER");
rmSync(out, { recursive: true, force: true });
const compile = (...options) =>
  execFileSync(process.execPath, [tsc, "--outDir", out, ...options], { stdio: "inherit" });
compile("--emitDeclarationOnly");
compile("--declaration", "false", "--removeComments");
