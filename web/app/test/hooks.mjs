import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const app = new URL("../", import.meta.url);
const endings = ["", ".ts", ".tsx", "/index.ts"];

/** Finds modules as the bundler does: without their ending. */
export async function resolve(specifier, context, next) {
  // The packages of this repository are links. Their dependencies are those of the page, as in its build: a package's
  // own folder has some only after a separate npm ci.
  if (!specifier.startsWith(".")) {
    const linked = context.parentURL?.startsWith("file:") && !context.parentURL.startsWith(app.href);
    return next(specifier, linked ? { ...context, parentURL: import.meta.url } : context);
  }
  const url = new URL(specifier, context.parentURL);
  const ending = endings.find((e) => existsSync(fileURLToPath(url) + e) && /\.\w+$/.test(url.pathname + e));
  return { url: url.href + (ending ?? ""), shortCircuit: true };
}

export async function load(url, context, next) {
  if (url.endsWith(".css")) return { format: "module", source: "", shortCircuit: true };
  if (url.endsWith(".json")) return { format: "module", source: `export default ${readFileSync(new URL(url), "utf8")}`, shortCircuit: true };
  if (!/\.tsx?$/.test(url)) return next(url, context);
  const { outputText } = ts.transpileModule(readFileSync(new URL(url), "utf8"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.ReactJSX },
    fileName: fileURLToPath(url),
  });
  return { format: "module", source: outputText, shortCircuit: true };
}
