import { after } from "node:test";
import { startServer } from "../../server.mjs";
import type { Client, ClientKind } from "./client.js";
import { CreateTaskDocument } from "./generated.js";
import { startLink, type Link } from "../../link.mjs";

// Slow enough that a test can act in the middle of a reply.
export const server = await startServer({ RULES_PACE: "100ms" });
after(() => server.stop());

/** A signed-in user, whose client is connected through a link of its own. */
export interface User {
  client: Client;
  token: string;
  link: Link;
}

let users = 0;

/** Signs in a new user, runs body, and closes the user's connections even if body fails. */
export async function withUser(kind: ClientKind, body: (user: User) => Promise<void>) {
  const link = await startLink(server);
  const token = await server.signIn(`user-${++users}`);
  const client = kind.connect(link.url, token);
  try {
    await body({ client, token, link });
  } finally {
    await client.close();
    link.close();
  }
}

/** Creates tasks named "Task 1" to "Task n", in this order. */
export async function createTasks(client: Client, n: number) {
  for (let i = 1; i <= n; i++) await client.request(CreateTaskDocument, { input: { title: `Task ${i}` } });
}
