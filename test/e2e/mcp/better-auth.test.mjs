// An MCP client that knows only the server's address discovers the authorization server, registers, lets its user
// authorize it, and uses the issued token.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startServer } from "../server.mjs";
import { authorize, startBetterAuth } from "./better-auth.mjs";

let identity, server, mcp;
before(async () => {
  const port = await freePort();
  mcp = `http://127.0.0.1:${port}/mcp`;
  identity = await startBetterAuth(mcp);
  server = await startServer({
    ADDR: `127.0.0.1:${port}`, AUTH_JWKS_URL: identity.jwks, AUTH_ISSUER: identity.issuer,
    AUTH_AUDIENCE: identity.base, AUTH_MCP_AUDIENCE: mcp,
  });
});
after(async () => {
  await server?.stop();
  await identity?.stop();
});

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** An OAuth provider of the MCP SDK that keeps its state in memory and authorizes every request. */
class Provider {
  constructor(cookie, scope) { Object.assign(this, { cookie, scope }); }
  get redirectUrl() { return "http://127.0.0.1:1/callback"; }
  get clientMetadata() {
    return {
      client_name: "Auth Desk", application_type: "native", redirect_uris: [this.redirectUrl], grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"], token_endpoint_auth_method: "none", scope: this.scope,
    };
  }
  clientInformation() { return this.registered; }
  saveClientInformation(information) { this.registered = information; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  async redirectToAuthorization(url) {
    url.searchParams.set("scope", this.scope); // replaces the scopes of the challenge
    this.authorizationURL = url;
    this.code = (await authorize(identity.base, this.cookie, url)).get("code");
  }
}

async function connect(provider) {
  const transport = () => new StreamableHTTPClientTransport(new URL(mcp), { authProvider: provider });
  const first = transport();
  await assert.rejects(new Client({ name: "auth-desk", version: "1" }).connect(first), UnauthorizedError);
  assert.ok(provider.code, "the user has authorized the client");
  await first.finishAuth(provider.code);
  const client = new Client({ name: "auth-desk", version: "1" });
  await client.connect(transport());
  return client;
}

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

test("a client that knows only the address registers, signs in and creates a task", async () => {
  const provider = new Provider(await identity.signUp("alice@example.com"), "tasks:read tasks:write");
  const client = await connect(provider);
  assert.equal(provider.authorizationURL.searchParams.get("resource"), mcp);
  const { aud, scope, iss } = claims(provider.saved.access_token);
  assert.ok([aud].flat().includes(mcp), `audience: ${aud}`);
  assert.equal(iss, identity.issuer);
  assert.match(scope, /tasks:write/);
  const added = await client.callTool({ name: "add_task", arguments: { title: "Signed in by Better Auth" } });
  assert.equal(added.structuredContent.task.number, 1);
  await client.close();

  const other = await connect(new Provider(await identity.signUp("bob@example.com"), "tasks:read tasks:write"));
  const list = await other.callTool({ name: "list_tasks", arguments: {} });
  assert.equal(list.structuredContent.total, 0, "users have separate lists");
  await other.close();
});

test("an invalid token is renewed without user interaction", async () => {
  const provider = new Provider(await identity.signUp("erin@example.com"), "tasks:read tasks:write offline_access");
  const first = await connect(provider);
  await first.callTool({ name: "add_task", arguments: { title: "Before" } });
  await first.close();
  assert.ok(provider.saved.refresh_token, "offline access gives a refresh token");
  // A wrong signature is rejected with the same challenge as an expired token.
  const [head, body] = provider.saved.access_token.split(".");
  const stale = `${head}.${body}.${"A".repeat(86)}`;
  provider.saved = { ...provider.saved, access_token: stale };
  provider.code = undefined;
  const client = new Client({ name: "auth-desk", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp), { authProvider: provider }));
  const list = await client.callTool({ name: "list_tasks", arguments: {} });
  assert.equal(list.structuredContent.total, 1, "the same user");
  assert.notEqual(provider.saved.access_token, stale);
  assert.equal(provider.code, undefined, "the user was not asked to authorize again");
  await client.close();
});

test("a token for MCP is rejected by GraphQL", async () => {
  const provider = new Provider(await identity.signUp("carol@example.com"), "tasks:read");
  const client = await connect(provider);
  await client.close();
  const response = await fetch(mcp.replace("/mcp", "/graphql"), {
    method: "POST", body: JSON.stringify({ query: "{ viewer { id } }" }),
    headers: { "content-type": "application/json", authorization: `Bearer ${provider.saved.access_token}` },
  });
  assert.equal(response.status, 401);
});

test("a token without the scope is rejected with the missing scope", async () => {
  const provider = new Provider(await identity.signUp("dora@example.com"), "tasks:read");
  const client = await connect(provider);
  assert.doesNotMatch(claims(provider.saved.access_token).scope, /tasks:write/);
  await client.callTool({ name: "list_tasks", arguments: {} });
  await client.close();
  const response = await fetch(mcp, {
    method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "add_task", arguments: { title: "no" } } }),
    headers: {
      "content-type": "application/json", accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25", authorization: `Bearer ${provider.saved.access_token}`,
    },
  });
  assert.equal(response.status, 403);
  assert.match(response.headers.get("www-authenticate"), /error="insufficient_scope".*/);
  assert.match(response.headers.get("www-authenticate"), /scope="tasks:write"/);
});
