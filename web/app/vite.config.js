import react from "@vitejs/plugin-react";
import { gzipSync } from "fflate";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

// Only the compressed form of an asset is kept: the Go binary embeds it once, and decompresses it for clients that do
// not accept gzip. fflate is plain JavaScript: its output is the same on every machine.
const compressAssets = {
  name: "compress-assets",
  apply: "build",
  writeBundle({ dir }) {
    const files = readdirSync(dir, { recursive: true }).filter((name) => /\.(js|css|svg|md)$/.test(name));
    for (const path of files.map((name) => join(dir, name))) {
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9, mtime: 0 }));
      rmSync(path);
    }
  },
};

// Puts src/theme.js into the head as a classic script, which runs before the first paint. Vite bundles modules only.
const themeScript = {
  name: "theme-script",
  generateBundle() {
    const source = readFileSync(join(import.meta.dirname, "src/theme.js"), "utf8");
    this.emitFile({ type: "asset", name: "theme.js", source });
  },
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle }) {
      const path = bundle ? `./${Object.values(bundle).find(({ name, names }) => (names ?? [name]).includes("theme.js")).fileName}` : "/src/theme.js";
      return [{ tag: "script", attrs: { src: path }, injectTo: "head" }];
    },
  },
};

const server = process.env.ERRAND_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  // Relative URLs: behind a proxy, the server may have a path.
  base: "./",
  plugins: [react(), themeScript, compressAssets],
  // The packages of this repository are links. They take their dependencies from this folder, so that the page has one
  // copy of each.
  resolve: { preserveSymlinks: true, dedupe: ["react", "react-dom", "graphql", "graphql-ws", "@errand/client"] },
  build: {
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    assetsInlineLimit: 0,
  },
  // `npm run dev` reloads on every change and forwards requests to a running server.
  server: {
    proxy: {
      "/graphql": { target: server, ws: true },
      "/dev/sign-in": server,
      "/auth": server,
    },
  },
});
