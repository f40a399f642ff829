// The front ends of README.md, docs/FRONTEND.md and examples/react-chat. CHROMIUM is the path of the browser
// (default: /usr/bin/chromium).
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { startServer } from "../server.mjs";
import { binary, buildExample, copyApp, followDocument, makeApp, prepare, run, serveInDevelopment } from "./app.mjs";
import { blocksOf, filesOf } from "./documents.mjs";
import { startPostgres } from "./postgres.mjs";
import { survivesCrash } from "./programs.mjs";
import { missesNothing } from "./scenario.mjs";

const fixture = (name) => readFile(join(import.meta.dirname, "fixture", name), "utf8");
const browser = (args) =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", ...args] });

async function withServer(env, use) {
  const server = await startServer({ RULES_PACE: "150ms", ...env });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}
const drive = (frontEnd, env) => withServer(env, (server) => missesNothing({ browser, server, ...frontEnd }));

/** Wraps a function so that it runs once, when it is first called. */
function once(make) {
  let made;
  return () => (made ??= make());
}

/** The files that drive a client by its name, and what their page shows. */
const driven = async (name, main = "main.tsx") => ({
  "src/connection.ts": await fixture(`${name}.ts`),
  "src/driver.ts": await fixture("driver.ts"),
  "src/main.tsx": await fixture(main),
});
const driver = { input: "input", messages: "#messages li", tasks: "#tasks li" };
const quickStart = { input: "input", messages: "form p", tasks: "ul li" };

const readme = blocksOf("README.md");
const page = filesOf("docs/FRONTEND.md");

test("README has the same files as FRONTEND.md", () => {
  const files = readme.filter(({ name }) => name !== "");
  assert.deepEqual(files.map(({ name }) => name), ["src/App.tsx", "src/errand.ts", "src/errand.ts", "src/token.ts"]);
  for (const { name, text } of files) {
    const counterpart = text.includes("@errand/client/urql") ? "src/urql.ts" : name;
    assert.equal(text, page[counterpart], name);
  }
});

const drivers = {
  "Apollo Client": async () => [await driven("apollo", "tasks.tsx"), { ...driver, tasks: "#root li", counts: "#root > p" }],
  urql: async () => [{ ...(await driven("urql")), "src/errand.ts": page["src/urql.ts"] }, driver],
  Relay: async () => [await driven("relay"), driver],
  "server-sent events": async () => [await driven("sse"), driver],
  "plain fetch": async () => [await driven("plain"), driver],
};
const example = { input: "main form input", messages: "main ol > li", tasks: "aside li" };

// Most of the time passes with waiting for connections.
describe("nothing is missing after restarts and crashes", { concurrency: 5 }, () => {
  const whole = once(async () => {
    await prepare();
    return makeApp("page", page);
  });
  /** Builds each front end once, by its name: {app, page}. */
  const frontEnds = {
    React: once(async () => ({ app: await whole(), page: quickStart })),
    "examples/react-chat": once(async () => ({ app: await buildExample("react-chat"), page: example })),
  };
  for (const [name, parts] of Object.entries(drivers)) {
    frontEnds[name] = once(async () => {
      const [files, page] = await parts();
      return { app: await copyApp(await whole(), `page-${name.replaceAll(" ", "-")}`, files), page };
    });
  }

  // What README has, on both engines; the other clients of FRONTEND.md on one of them.
  const onPostgres = ["React", "examples/react-chat", "Apollo Client", "urql", "Relay", "plain fetch"];
  const onSQLite = ["examples/react-chat", "Apollo Client", "urql", "server-sent events"];

  let postgres;
  before(async () => (postgres = await startPostgres(onPostgres)));
  after(() => postgres?.stop());

  test("React, by the shell commands of FRONTEND.md in an empty folder, on SQLite", async () => {
    const { app, remove } = await followDocument(blocksOf("docs/FRONTEND.md"), page);
    try {
      await drive({ app, page: quickStart, serve: serveInDevelopment });
    } finally {
      await remove();
    }
  });
  for (const name of onSQLite) test(`${name}, on SQLite`, async () => drive(await frontEnds[name]()));
  for (const [i, name] of onPostgres.entries()) {
    test(`${name}, on PostgreSQL`, async () => {
      const env = { DATABASE_URL: postgres.urls[i] };
      const frontEnd = await frontEnds[name]();
      await run(binary, ["migrate", "up"], frontEnd.app, env);
      await drive(frontEnd, env);
    });
  }

  for (const [name, compile] of Object.entries({
    "chat.go": async (file, folder) => {
      const program = join(folder, "chat");
      await run("go", ["build", "-o", program, file], folder);
      return [program];
    },
    "chat.py": async (file) => ["python3", file],
  })) {
    test(name, () =>
      withProgram(name, async (file, folder) => {
        const command = await compile(file, folder);
        await withServer({ RULES_PACE: "150ms" }, (server) => survivesCrash({ server, command }));
      }));
  }
});

async function withProgram(name, use) {
  const folder = await mkdtemp(join(tmpdir(), "errand-program-"));
  try {
    await writeFile(join(folder, name), page[name]);
    await use(join(folder, name), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the packages that the documents install are those of this suite", async () => {
  const suite = JSON.parse(await readFile(join(import.meta.dirname, "package.json"), "utf8")).devDependencies;
  const lines = [...readme, ...blocksOf("docs/FRONTEND.md")]
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.match(/^npm install .+$/gm) ?? []);
  const names = lines.flatMap((line) => line.split(" ").slice(2)).filter((word) => !/^[-.]/.test(word));
  assert.ok(names.includes("graphql-ws"));
  const text = (await Promise.all(["README.md", "docs/FRONTEND.md"].map((file) =>
    readFile(join(import.meta.dirname, "..", "..", "..", file), "utf8")))).join();
  for (const [, list] of text.matchAll(/\(and `npm install ([^`]+)`\)/g)) names.push(...list.split(" "));
  for (const name of names) assert.ok(name in suite, `${name} is not in package.json`);
});
