import react from "@vitejs/plugin-react";
import { gzipSync } from "fflate";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

// GraphiQL's stylesheet carries two web fonts as base64, over half of the page's
// weight. The page uses the reader's system fonts instead (see playground.css).
const dropFonts = {
  name: "drop-fonts",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("graphiql/dist/style.css")) return null;
    return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
  },
};

// Only the compressed form of an asset is kept: the Go binary embeds it once and
// unpacks it for the rare client that does not take gzip. fflate is plain
// JavaScript, so that the bytes are the same on every machine, which Node's own
// zlib does not promise.
const compressAssets = {
  name: "compress-assets",
  apply: "build",
  writeBundle({ dir }) {
    const assets = join(dir, "assets");
    const files = readdirSync(assets).map((name) => join(assets, name));
    for (const path of [...files, join(dir, "licenses.md")]) {
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9, mtime: 0 }));
      rmSync(path);
    }
  },
};

export default defineConfig({
  base: "/playground/",
  // Relative URLs: behind a proxy, the server may have a path. The page is at /playground, without a slash at the end.
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === "html" ? `playground/${name}` : { relative: true }),
  },
  plugins: [dropFonts, react(), compressAssets],
  build: {
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 2000,
    // One script: GraphiQL splits CodeMirror's addons into forty files of a kilobyte or two.
    rolldownOptions: { output: { codeSplitting: false } },
  },
  // `npm run dev` reloads on every change and passes everything else to a running server.
  server: {
    proxy: {
      "/graphql": { target: "http://127.0.0.1:8080", ws: true },
      "/dev/sign-in": "http://127.0.0.1:8080",
      "/playground/config.json": "http://127.0.0.1:8080",
    },
  },
});
