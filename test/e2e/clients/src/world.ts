import { after } from "node:test";
import { startServer } from "../../server.mjs";
import type { Client, ClientKind } from "./client.js";
import { CreateTaskDocument } from "./generated.js";
import { layWire, type Wire } from "./proxy.js";

// Slow enough that a test can act in the middle of a reply.
export const server = await startServer({ RULES_PACE: "40ms" });
after(() => server.stop());

/** A client of one kind, signed in as a new person over a wire of its own. */
export interface Person {
  client: Client;
  token: string;
  wire: Wire;
}

let people = 0;

/** Signs a new person in and gives body their client; ends the connections whatever comes. */
export async function asSomebody(kind: ClientKind, body: (person: Person) => Promise<void>) {
  const wire = await layWire(server);
  const token = await server.signIn(`person-${++people}`);
  const client = kind.connect(wire.url, token);
  try {
    await body({ client, token, wire });
  } finally {
    await client.close();
    wire.close();
  }
}

/** Gives the person tasks named "Task 1" to "Task n", in this order. */
export async function makeTasks(client: Client, n: number) {
  for (let i = 1; i <= n; i++) await client.ask(CreateTaskDocument, { input: { title: `Task ${i}` } });
}
