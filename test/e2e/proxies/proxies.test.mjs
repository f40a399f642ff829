// The settings for nginx and Caddy in the documents, extracted from them and run on other ports, with compression on,
// in front of the real binary. Only addresses, ports and TLS are replaced, and the path where it has a prefix. The last
// tests keep TLS, with a certificate of their own, and run the configuration of compose.replicas.yaml.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startServer } from "../server.mjs";
import { startModel } from "./model.mjs";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");
const secret = "a secret of the proxy suite, 32 bytes";
let model;
const stops = [];

before(async () => {
  for (const [command, name] of [["nginx", "nginx-light"], ["caddy", "caddy"], ["openssl", "openssl"]]) {
    if (spawnSync(command, [command === "nginx" ? "-v" : "version"]).error === undefined) continue;
    const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["update", "-qq"], options);
    const { status } = spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", name], options);
    assert.equal(status, 0, `${name} does not install`);
  }
  model = await startModel();
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
  model?.close();
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

/** Starts a server for pages below a public URL. */
async function errand(publicURL, settings = {}) {
  const server = await startServer({
    BETTER_AUTH_SECRET: secret, TRUSTED_PROXIES: "127.0.0.1", PUBLIC_URL: publicURL, PLAYGROUND: "on",
    LLM_PROVIDER: "openai", LLM_MODEL: "model", OPENAI_BASE_URL: model.url, OPENAI_API_KEY: "key", ...settings,
  });
  stops.push(() => server.stop());
  return new URL(server.url).host;
}

/** Replaces all addresses of servers by that of the binary. */
const upstreams = (text, host) => text.replace(/\b(10\.0\.0\.\d|127\.0\.0\.1):8080/g, host);

async function nginx(file, port, host, path) {
  const folder = mkdtempSync(join(tmpdir(), "errand-nginx-"));
  const site = upstreams(block(file, "nginx"), host)
    .replace("listen 443 ssl;", `listen 127.0.0.1:${port};`)
    .replace("location / {", `location ${path.prefix}/ {`)
    .replace("proxy_pass http://errand;", `proxy_pass http://errand${path.isRemoved ? "/" : ""};`);
  writeFileSync(join(folder, "nginx.conf"), `
    daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; events {}
    http {
      access_log off; gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      ${site}
    }`);
  return ["nginx", "-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")];
}

async function caddy(file, port, host, path) {
  const folder = mkdtempSync(join(tmpdir(), "errand-caddy-"));
  const [, lines] = upstreams(block(file, "caddy"), host).match(/^errand\.example\.com \{\n([^]*)\}\n$/);
  // OPERATIONS.md has this line for Debian 12: without it, Caddy cuts one stream in twenty when it begins.
  const isOld = /^v?2\.[0-6]\./.test(spawnSync("caddy", ["version"], { encoding: "utf8" }).stdout);
  const buffered = isOld ? lines.replace("flush_interval -1", "buffer_requests\n        flush_interval -1") : lines;
  const handle = path.isRemoved ? "handle_path" : "handle";
  const site = path.prefix === "" ? buffered : `${handle} ${path.prefix}/* {\n${buffered}}\n`;
  writeFileSync(join(folder, "Caddyfile"), `{
    admin off
    log {
        level ERROR
    }
    storage file_system ${folder}
}
http://127.0.0.1:${port} {
    encode gzip
    ${site}
}
`);
  return ["caddy", "run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")];
}

/** Starts a server with a proxy in front of it, and returns the URL of the proxy when it answers. */
async function start(makeProxy, file, path) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${path.prefix}`;
  const [command, ...args] = await makeProxy(file, port, await errand(url), path);
  const env = { ...process.env, XDG_CONFIG_HOME: tmpdir() }; // of Caddy
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  stops.push(() => child.kill("SIGKILL"));
  while (child.exitCode === null) {
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
    headers: { "content-type": "application/json", authorization: `Bearer ${bearer}`, origin: new URL(url).origin },
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
        connection: "Upgrade", upgrade: "websocket", origin: new URL(url).origin, "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-protocol": "graphql-transport-ws",
      },
    });
    r.once("upgrade", (response, socket) => { socket.destroy(); resolve(response.statusCode); });
    r.once("response", (response) => { response.resume(); resolve(response.statusCode); });
    r.once("error", reject);
    r.end();
  });
}

/**
 * Follows the reply to a message. The model writes each piece when the one before has arrived, so that a proxy that holds
 * an event back stops the test, and nothing depends on time.
 */
async function piecesArrive(url, bearer) {
  const sent = await graphql(url, bearer,
    `mutation { sendMessage(input: {content: "Hello"}) { conversation { id } assistantMessage { id } } }`);
  const { conversation, assistantMessage } = sent.sendMessage;
  const reply = await model.reply();
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json", accept: "text/event-stream", "accept-encoding": "gzip",
      authorization: `Bearer ${bearer}`, origin: new URL(url).origin,
    },
    body: JSON.stringify({
      query: `subscription($id: ID!) { messageStream(conversationId: $id) {
        __typename
        ... on MessageAdded { message { id content } }
        ... on MessageDelta { offset text }
        ... on MessageFinished { message { status content } }
      } }`,
      variables: { id: conversation.id },
    }),
  });
  assert.equal(response.status, 200);
  const events = eventsOf(response.body);
  const next = async () => (await events.next()).value.data.messageStream;
  // The reply is the second message of the turn.
  let event = await next();
  while (event.message?.id !== assistantMessage.id) event = await next();
  let content = "";
  for (const piece of ["one ", "two ", "three ", "four ", "five"]) {
    reply.write(piece);
    content += piece;
    // A copy of the message may come first, because it has begun.
    do event = await next();
    while (event.__typename === "MessageAdded" && event.message.content === "");
    assert.deepEqual(event, { __typename: "MessageDelta", offset: content.length - piece.length, text: piece });
  }
  reply.end();
  assert.deepEqual(await next(), { __typename: "MessageFinished", message: { status: "COMPLETED", content } });
  await events.return();
}

/** The results of a stream of server-sent events. */
async function* eventsOf(body) {
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.match(/^data: (.+)$/m)?.[1];
      if (data) yield JSON.parse(data);
    }
  }
}

/** The playground with all of its files, and the address at which MCP clients read how to sign in. */
async function pagesLoad(url) {
  const page = await fetch(`${url}/playground`);
  assert.equal(page.status, 200);
  const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => new URL(file, page.url).href);
  assert.ok(files.some((file) => file.endsWith(".js")), `${files}`);
  for (const file of files) assert.equal((await fetch(file)).status, 200, file);

  const challenge = await fetch(`${url}/mcp`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  assert.equal(challenge.status, 401);
  const metadata = challenge.headers.get("www-authenticate").match(/resource_metadata="([^"]+)"/)[1];
  assert.ok(metadata.startsWith(`${url}/`), metadata);
  assert.equal((await (await fetch(metadata)).json()).resource, `${url}/mcp`);
}

/** The configuration of compose.replicas.yaml, with one replica that runs and two that do not. */
async function caddyOfCompose(_, port, host) {
  const folder = mkdtempSync(join(tmpdir(), "errand-caddy-"));
  const text = readFileSync(join(docs, "..", "ops", "caddy", "Caddyfile"), "utf8");
  const upstreams = { "errand-1": `127.0.0.1:${await freePort()}`, "errand-2": host, "errand-3": `127.0.0.1:${await freePort()}` };
  let site = text.replaceAll(/(errand-\d):8080/g, (_, name) => upstreams[name])
    .replace("{$ERRAND_DOMAIN:localhost} {", `http://127.0.0.1:${port} {`);
  assert.ok(!site.includes("errand-") && !site.includes("ERRAND_DOMAIN"), site);
  const isOld = /^v?2\.[0-6]\./.test(spawnSync("caddy", ["version"], { encoding: "utf8" }).stdout);
  if (isOld) site = site.replace("flush_interval -1", "buffer_requests\n\t\tflush_interval -1"); // see OPERATIONS.md
  writeFileSync(join(folder, "Caddyfile"), `{\nadmin off\nlog {\nlevel PANIC\n}\nstorage file_system ${folder}\n}\n${site}`);
  return ["caddy", "run", "--adapter", "caddyfile", "--config", join(folder, "Caddyfile")];
}

/** A certificate for this machine, as paths of its files. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), "errand-tls-"));
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const { status, stderr } = spawnSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=errand",
    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.key, "-out", files.cert,
  ], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return files;
}

/** Edits the settings of a proxy, so that it keeps TLS. */
function withTLS(makeProxy, port, edit) {
  return async (file, _, host, path) => {
    const args = await makeProxy(file, port, host, path);
    const config = args.find((arg) => arg.endsWith(".conf") || arg.endsWith("Caddyfile"));
    const text = readFileSync(config, "utf8");
    const edited = edit(text, certificate());
    assert.notEqual(edited, text);
    writeFileSync(config, edited);
    return args;
  };
}

/** Sends a request over TLS, and returns the response with its body, or "upgraded". */
function sendOverTLS(url, options, body) {
  return new Promise((resolve, reject) => {
    const r = secureRequest(url, { rejectUnauthorized: false, ...options });
    r.once("response", async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    r.once("upgrade", (response, socket) => { socket.destroy(); resolve({ status: response.statusCode }); });
    r.once("error", reject);
    r.end(body);
  });
}

const root = { prefix: "" }, kept = { prefix: "/errand" }, removed = { prefix: "/errand", isRemoved: true };
for (const [name, makeProxy, file, path] of [
  ["nginx of REPLICAS.md", nginx, "REPLICAS.md", root],
  ["nginx of REPLICAS.md, below a path", nginx, "REPLICAS.md", kept],
  ["nginx of OPERATIONS.md", nginx, "OPERATIONS.md", root],
  ["nginx of OPERATIONS.md, below a path", nginx, "OPERATIONS.md", kept],
  ["nginx of OPERATIONS.md, below a path that it removes", nginx, "OPERATIONS.md", removed],
  ["Caddy of REPLICAS.md", caddy, "REPLICAS.md", root],
  ["Caddy of REPLICAS.md, below a path", caddy, "REPLICAS.md", kept],
  ["Caddy of OPERATIONS.md", caddy, "OPERATIONS.md", root],
  ["Caddy of OPERATIONS.md, below a path", caddy, "OPERATIONS.md", kept],
  ["Caddy of OPERATIONS.md, below a path that it removes", caddy, "OPERATIONS.md", removed],
  ["Caddy of compose.replicas.yaml, with two of three replicas down", caddyOfCompose, "", root],
]) {
  test(`${name}: pages, sockets, and deltas one by one through compression`, { timeout: 30_000 }, async () => {
    const url = await start(makeProxy, file, path);
    await pagesLoad(url);
    assert.equal(await handshake(url), 101);
    await piecesArrive(url, await token(name));
  });
}

for (const [name, makeProxy, file, edit] of [
  ["nginx of REPLICAS.md", nginx, "REPLICAS.md", nginxTLS],
  ["nginx of OPERATIONS.md", nginx, "OPERATIONS.md", nginxTLS],
  ["Caddy of REPLICAS.md", caddy, "REPLICAS.md", caddyTLS],
  ["Caddy of OPERATIONS.md", caddy, "OPERATIONS.md", caddyTLS],
]) {
  test(`${name}: the server knows the scheme from the proxy, without PUBLIC_URL`, { timeout: 30_000 }, async () => {
    const port = await freePort();
    const origin = `https://127.0.0.1:${port}`;
    const [command, ...args] = await withTLS(makeProxy, port, edit)(file, port, await errand("", { ENVIRONMENT: "production" }), root);
    const child = spawn(command, args, { env: { ...process.env, XDG_CONFIG_HOME: tmpdir() }, stdio: ["ignore", "ignore", "inherit"] });
    stops.push(() => child.kill("SIGKILL"));
    while (!await sendOverTLS(`${origin}/livez`, {}).then((r) => r.status === 200, () => false)) {
      assert.equal(child.exitCode, null, `${command} does not serve`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // The page's own origin is allowed, because the proxy passes the host; another is not.
    const json = { "content-type": "application/json", authorization: `Bearer ${await token(name)}` };
    const query = JSON.stringify({ query: "{ viewer { id } }" });
    const own = await sendOverTLS(`${origin}/graphql`, { method: "POST", headers: { ...json, origin } }, query);
    assert.match(own.text, /"id":"user_/);
    const foreign = { ...json, origin: "https://evil.example" };
    assert.equal((await sendOverTLS(`${origin}/graphql`, { method: "POST", headers: foreign }, query)).status, 403);
    const upgrade = {
      connection: "Upgrade", upgrade: "websocket", origin, "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-protocol": "graphql-transport-ws",
    };
    assert.equal((await sendOverTLS(`${origin}/graphql`, { headers: upgrade })).status, 101);
    const challenge = await sendOverTLS(`${origin}/mcp`, { method: "POST", headers: { "content-type": "application/json" } }, "{}");
    assert.match(challenge.headers["www-authenticate"], new RegExp(`resource_metadata="${origin}/`));
  });
}

function nginxTLS(text, { cert, key }) {
  return text.replace(/listen (127\.0\.0\.1:\d+);/, `listen $1 ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};`);
}

function caddyTLS(text, { cert, key }) {
  return text.replace(/http:\/\/(127\.0\.0\.1:\d+) \{/, `https://$1 {\n    tls ${cert} ${key}`);
}
