// The settings for nginx and Caddy in the documents, extracted from them and run on other ports, with compression on,
// in front of the real binary. Only addresses, ports and TLS are replaced.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startServer } from "../server.mjs";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");
const secret = "a secret of the proxy suite, 32 bytes";
let errand, stops = [];

before(async () => {
  for (const [command, name] of [["nginx", "nginx-light"], ["caddy", "caddy"]]) {
    if (spawnSync(command, [command === "nginx" ? "-v" : "version"]).error === undefined) continue;
    const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["update", "-qq"], options);
    const { status } = spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], options);
    assert.equal(status, 0, `${name} does not install`);
  }
  errand = await startServer({ BETTER_AUTH_SECRET: secret, RULES_PACE: "100ms", TRUSTED_PROXIES: "127.0.0.1" });
});
after(async () => {
  for (const stop of stops) stop();
  await errand?.stop();
});

/** The first code block of a language in a document. */
function block(file, language) {
  const found = readFileSync(join(docs, file), "utf8").match(new RegExp("```" + language + "\\n([\\s\\S]*?)```"));
  assert.ok(found, `${file} has no ${language} block`);
  return found[1];
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Replaces all addresses of servers by that of the binary. */
const upstreams = (text) => text.replace(/\b(10\.0\.0\.\d|127\.0\.0\.1):8080/g, new URL(errand.url).host);

async function nginx(file) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "errand-nginx-"));
  const site = upstreams(block(file, "nginx")).replace("listen 443 ssl;", `listen 127.0.0.1:${port};`);
  writeFileSync(join(folder, "nginx.conf"), `
    daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; events {}
    http {
      access_log off; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      ${site}
    }`);
  return run("nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], port);
}

async function caddy(file) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "errand-caddy-"));
  const site = upstreams(block(file, "caddy")).replace("errand.example.com {", `http://127.0.0.1:${port} {\n    encode gzip`);
  writeFileSync(join(folder, "Caddyfile"), `{\n    admin off\n    storage file_system ${folder}\n}\n${site}`);
  return run("caddy", ["run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")], port);
}

/** Starts a proxy and returns its URL when it answers. */
async function run(command, args, port) {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  stops.push(() => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 200 && child.exitCode === null; i++) {
    const up = await fetch(`${url}/livez`).then((r) => r.ok, () => false);
    if (up) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${command} does not serve`);
}

/** A token that is signed with the secret. */
async function token(user) {
  const encode = (value) => Buffer.from(value).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode('{"alg":"HS256","typ":"JWT"}')}.${encode(JSON.stringify({ sub: user, iat: now, exp: now + 600 }))}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Buffer.from(secret), algorithm, false, ["sign"]);
  return `${text}.${Buffer.from(await crypto.subtle.sign("HMAC", key, Buffer.from(text))).toString("base64url")}`;
}

async function graphql(url, bearer, query, variables) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}`, origin: url },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  assert.equal(body.errors, undefined, JSON.stringify(body));
  return body.data;
}

/** Status of a WebSocket handshake of the page's own origin. */
function handshake(url) {
  return new Promise((resolve, reject) => {
    const r = request(`${url}/graphql`, {
      headers: {
        connection: "Upgrade", upgrade: "websocket", origin: url, "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-protocol": "graphql-transport-ws",
      },
    });
    r.once("upgrade", (response, socket) => { socket.destroy(); resolve(response.statusCode); });
    r.once("response", (response) => { response.resume(); resolve(response.statusCode); });
    r.once("error", reject);
    r.end();
  });
}

/** Sends a message and returns the number of chunks with deltas in which the reply arrives. */
async function chunksWithDeltas(url, bearer) {
  const sent = await graphql(url, bearer,
    `mutation($text: String!) { sendMessage(input: {content: $text}) { conversation { id } } }`,
    { text: "hello, what can you do for me?" });
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json", accept: "text/event-stream", "accept-encoding": "gzip",
      authorization: `Bearer ${bearer}`, origin: url,
    },
    body: JSON.stringify({
      query: `subscription($id: ID!) { messageStream(conversationId: $id) { __typename ... on MessageFinished { message { status content error { code message } } } } }`,
      variables: { id: sent.sendMessage.conversation.id },
    }),
  });
  assert.equal(response.status, 200);
  let text = "", chunks = 0;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (chunk.includes("MessageDelta")) chunks++;
    if (text.includes("MessageFinished")) break;
  }
  return { chunks, text };
}

for (const [name, start, file] of [
  ["nginx of REPLICAS.md", nginx, "REPLICAS.md"], ["nginx of OPERATIONS.md", nginx, "OPERATIONS.md"],
  ["Caddy of REPLICAS.md", caddy, "REPLICAS.md"], ["Caddy of OPERATIONS.md", caddy, "OPERATIONS.md"],
]) {
  test(`${name}: socket of the page, and deltas one by one through compression`, { timeout: 60_000 }, async (t) => {
    const url = await start(file);
    assert.equal(await handshake(url), 101);
    // A reply may end early by a failure of its own; a proxy that holds events back does so every time.
    let best = 0;
    for (let i = 0; i < 3 && best < 3; i++) {
      const { chunks, text } = await chunksWithDeltas(url, await token(`user ${i} of ${name}`));
      best = Math.max(best, chunks);
      if (chunks < 3) t.diagnostic(`${chunks} chunks with deltas: ${text}`);
    }
    assert.ok(best >= 3, `${best} chunks with deltas: events were held back`);
  });
}
