// Lets Node import the TypeScript sources: node --import ./test/typescript.mjs.
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);
