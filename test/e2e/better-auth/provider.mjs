// A Better Auth server with its JWT plugin and SQLite, as applications run it.
import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

/**
 * Starts the server on the given port (default: a free one). life returns the lifetime of new tokens, pages the origins
 * whose pages may sign users in.
 */
export async function startProvider({ port = 0, life = () => "15m", pages = [] } = {}) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const folder = await mkdtemp(join(tmpdir(), "better-auth-"));
  const database = new DatabaseSync(join(folder, "auth.db"));
  const options = {
    baseURL: base, secret: "only for this test, long enough to be one", database,
    telemetry: { enabled: false }, rateLimit: { enabled: false }, emailAndPassword: { enabled: true },
    trustedOrigins: () => pages,
    plugins: [jwt({ jwt: { get expirationTime() { return life(); } } })],
  };
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  const auth = betterAuth(options);
  const handle = toNodeHandler(auth);
  server.on("request", (request, response) => {
    if (!pages.includes(request.headers.origin)) return handle(request, response);
    // Better Auth leaves CORS to the application.
    response.setHeader("access-control-allow-origin", request.headers.origin);
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("access-control-allow-headers", "content-type");
    if (request.method === "OPTIONS") return response.writeHead(204).end();
    return handle(request, response);
  });
  return {
    base,
    jwks: `${base}/api/auth/jwks`,
    port: server.address().port,
    signUp: (name) => signUp(base, name),
    /** Signs claims with the server's key. */
    sign: async (payload) => (await auth.api.signJWT({ body: { payload } })).token,
    /** Retires the current key: the next token is signed with a new one. The old key stays published for a while. */
    rotate: () => database.prepare("update jwks set expiresAt = ?").run(new Date(Date.now() - 1000).toISOString()),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      database.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Creates a user with a session, who can request any number of tokens. */
async function signUp(base, name) {
  const email = `${name.toLowerCase()}@example.com`;
  const answer = await fetch(`${base}/api/auth/sign-up/email`, {
    method: "POST", headers: { "content-type": "application/json", origin: base },
    body: JSON.stringify({ email, name, password: "a password for tests" }),
  });
  if (!answer.ok) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
  return {
    email, name,
    session: (await answer.json()).token,
    async token() {
      const answer = await fetch(`${base}/api/auth/token`, { headers: { cookie } });
      if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`);
      return (await answer.json()).token;
    },
  };
}
