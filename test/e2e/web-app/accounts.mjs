import { startServer } from "../server.mjs";

/** Starts a server with built-in accounts. Browsers have passkeys for names only: its address is localhost. */
export async function startAccounts(env = {}) {
  const server = await startServer({ AUTH: "local", RULES_PACE: "1ms", ...env });
  const named = (url) => url.replace("//127.0.0.1:", "//localhost:");
  const [line] = server.logged('"set_up_url"');
  return {
    url: named(server.url),
    /** The link that creates the account of the owner. */
    setUpLink: named(JSON.parse(line).set_up_url),
    /** Prints a link, such as `user reset LOGIN`. */
    link: async (...args) => named(await server.command(...args)),
    stop: () => server.stop(),
  };
}
