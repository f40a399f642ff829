import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import * as g from "./generated.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";
import { graphqlWS, over, socketOptions } from "./kinds/graphqlws.js";
import { assertStored, finished, openTaskStream, send, watch } from "./story.js";
import { View, type MessageEvent } from "./view.js";
import { asSomebody, makeTasks, server } from "./world.js";

test("a reply continues after a restart of the server, and a client that retries misses nothing", () => asSomebody(graphqlSSE, async ({ client, token, wire }) => {
  await makeTasks(client, 12);
  const { conversation, assistantMessage } = await send(client, "Add a task to call Bob and list my tasks");
  const codes: unknown[] = [];
  const retrying = over(createClient({
    ...socketOptions(wire.url, token),
    // The old server is gone before the new one is there.
    retryAttempts: Infinity,
    retryWait: () => new Promise(setImmediate),
    shouldRetry: () => true,
    on: { closed: (event) => codes.push((event as { code?: number }).code) },
  }));
  const view = new View();
  let restarted: Promise<void> | undefined;
  const isLast = finished(assistantMessage.id);
  await watch(retrying, conversation.id, view, (event: MessageEvent) => {
    if (event.__typename === "MessageDelta") restarted ??= server.restart();
    return isLast(event);
  });
  await restarted;
  await retrying.close();

  assert.ok(restarted, "the server was restarted in mid-stream");
  assert.ok(codes.includes(1012), `told to come back: ${codes}`);
  const reply = view.message(assistantMessage.id);
  assert.equal(reply.status, "COMPLETED");
  assert.match(reply.content, /Call Bob/);
  await assertStored(client, reply);
  const { tasks } = await client.ask(g.TasksDocument, { filter: { search: "call bob" } });
  assert.equal(tasks.totalCount, 1, "the tool did its work once");
}));

test("a stream of server-sent events that the server's stop ends does not look complete", () => asSomebody(graphqlSSE, async ({ client }) => {
  const { live } = await openTaskStream(client);
  const end = assert.rejects(async () => {
    for await (const _ of live);
  });
  await server.restart();
  await end;
}));

test("a socket that a server stop closes is advised to reconnect", () => asSomebody(graphqlWS, async ({ client }) => {
  const { live } = await openTaskStream(client);
  const end = assert.rejects(async () => {
    for await (const _ of live);
  }, { code: 1012 });
  await server.restart();
  await end;
}));
