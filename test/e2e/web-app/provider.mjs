// An OpenID Connect provider whose user has already signed in there: it sends the browser back at once.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts the provider. It rejects sign-ins while `provider.refuses` is true. */
export async function startProvider({ clientId }) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }];
  const codes = new Map();
  const token = (claims) => {
    const now = Math.floor(Date.now() / 1000);
    const body = `${encode({ alg: "RS256", kid: "1" })}.${encode({ iss: provider.url, aud: clientId, sub: "ann", name: "Ann", iat: now, exp: now + 300, ...claims })}`;
    return `${body}.${sign("RSA-SHA256", Buffer.from(body), privateKey).toString("base64url")}`;
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, provider.url);
    const json = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    switch (pathname) {
      case "/.well-known/openid-configuration":
        return json({
          issuer: provider.url, authorization_endpoint: `${provider.url}/authorize`, token_endpoint: `${provider.url}/token`,
          jwks_uri: `${provider.url}/jwks`, response_types_supported: ["code"], subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["RS256"], code_challenge_methods_supported: ["S256"],
          scopes_supported: ["openid", "profile", "email", "offline_access"],
        });
      case "/jwks":
        return json({ keys });
      case "/authorize": {
        const back = new URL(searchParams.get("redirect_uri"));
        back.searchParams.set("state", searchParams.get("state"));
        if (provider.refuses) back.searchParams.set("error", "access_denied");
        else {
          const code = randomUUID();
          codes.set(code, { challenge: searchParams.get("code_challenge"), nonce: searchParams.get("nonce") });
          back.searchParams.set("code", code);
        }
        return response.writeHead(302, { location: back.href }).end();
      }
      case "/token": {
        let text = "";
        for await (const chunk of request) text += chunk;
        const form = new URLSearchParams(text);
        if (form.get("grant_type") === "refresh_token") return json({ access_token: "opaque", token_type: "Bearer", expires_in: 300, id_token: token({}) });
        const { challenge, nonce } = codes.get(form.get("code")) ?? {};
        const verifier = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
        if (challenge === undefined || verifier !== challenge) return json({ error: "invalid_grant" }, 400);
        return json({ access_token: "opaque", token_type: "Bearer", expires_in: 300, refresh_token: "refresh", id_token: token({ nonce }) });
      }
    }
    response.writeHead(404).end();
  });
  const provider = {
    url: "",
    refuses: false,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  provider.url = `http://127.0.0.1:${server.address().port}`;
  return provider;
}
