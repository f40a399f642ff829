// A Better Auth server as the authorization server of MCP clients: users sign in by e-mail, clients register
// dynamically, and access tokens are issued for one resource.
import { createServer } from "node:http";
import { once } from "node:events";
import { oauthProvider, oauthProviderAuthServerMetadata } from "@better-auth/oauth-provider";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";

const models = [
  "user", "session", "account", "verification", "jwks", "rateLimit", "oauthClient", "oauthResource", "oauthClientResource",
  "oauthAccessToken", "oauthRefreshToken", "oauthConsent", "oauthClientAssertion",
];

/** Starts the server for a protected resource. */
export async function startBetterAuth(resource) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const auth = betterAuth({
    baseURL: base, secret: "only for this test, long enough to be one", telemetry: { enabled: false }, rateLimit: { enabled: false },
    database: memoryAdapter(Object.fromEntries(models.map((m) => [m, []]))),
    emailAndPassword: { enabled: true }, disabledPaths: ["/token"],
    plugins: [
      jwt(),
      oauthProvider({
        loginPage: "/sign-in", consentPage: "/consent", scopes: ["openid", "profile", "offline_access", "tasks:read", "tasks:write", "chat"],
        resources: [resource], clientRegistrationDefaultResources: [resource],
        allowDynamicClientRegistration: true, allowUnauthenticatedClientRegistration: true,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      }),
    ],
  });
  const api = toNodeHandler(auth);
  const metadata = oauthProviderAuthServerMetadata(auth);
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/.well-known/")) return api(request, response);
    const answer = await metadata(new Request(new URL(request.url, base)));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  return {
    base, issuer: `${base}/api/auth`, jwks: `${base}/api/auth/jwks`,
    signUp: (email) => signUp(base, email),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function signUp(base, email) {
  const answer = await fetch(`${base}/api/auth/sign-up/email`, {
    method: "POST", headers: { "content-type": "application/json", origin: base },
    body: JSON.stringify({ email, name: email.split("@")[0], password: "a password for tests" }),
  });
  if (!answer.ok) throw new Error(`sign-up: ${answer.status} ${await answer.text()}`);
  return answer.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");
}

/** Completes the authorization like a signed-in user in a browser. Returns the parameters of the redirection. */
export async function authorize(base, cookie, url) {
  const headers = { cookie, origin: base, "content-type": "application/json", accept: "application/json" };
  const opened = await fetch(url, { headers, redirect: "manual" });
  const page = new URL(await redirection(opened), base);
  if (page.searchParams.has("code")) return page.searchParams;
  const consent = await fetch(`${base}/api/auth/oauth2/consent`, {
    method: "POST", headers, redirect: "manual", body: JSON.stringify({ accept: true, oauth_query: page.search.slice(1) }),
  });
  return new URL(await redirection(consent), base).searchParams;
}

async function redirection(answer) {
  const location = answer.headers.get("location");
  if (location) return location;
  const text = await answer.text();
  const { url, redirect_uri: uri } = JSON.parse(text || "{}");
  if (!url && !uri) throw new Error(`no redirection: ${answer.status} ${text}`);
  return url ?? uri;
}
