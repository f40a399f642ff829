import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "graphql-ws";
import * as g from "./generated.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";
import { graphqlWS, over, socketOptions } from "./kinds/graphqlws.js";
import { assertStored, finished, openTaskStream, send, watch } from "./scenarios.js";
import { ConversationState, type MessageEvent } from "./conversation.js";
import { withUser, createTasks, server } from "./environment.js";

test("a reply continues after a server restart, and a client that retries misses nothing", () => withUser(graphqlSSE, async ({ client, token, link }) => {
  await createTasks(client, 12);
  const { conversation, assistantMessage } = await send(client, "Add a task to call Bob and list my tasks");
  const codes: unknown[] = [];
  const retrying = over(createClient({
    ...socketOptions(link.url, token),
    // The old server stops before the new one starts.
    retryAttempts: Infinity,
    retryWait: () => new Promise(setImmediate),
    shouldRetry: () => true,
    on: { closed: (event) => codes.push((event as { code?: number }).code) },
  }));
  const state = new ConversationState();
  let restarted: Promise<void> | undefined;
  const isLast = finished(assistantMessage.id);
  await watch(retrying, conversation.id, state, (event: MessageEvent) => {
    if (event.__typename === "MessageDelta") restarted ??= server.restart();
    return isLast(event);
  });
  await restarted;
  await retrying.close();

  assert.ok(restarted, "the server was restarted in mid-stream");
  assert.ok(codes.includes(1012), `advised to reconnect: ${codes}`);
  const reply = state.message(assistantMessage.id);
  assert.equal(reply.status, "COMPLETED");
  assert.match(reply.content, /Call Bob/);
  await assertStored(client, reply);
  const { tasks } = await client.request(g.TasksDocument, { filter: { search: "call bob" } });
  assert.equal(tasks.totalCount, 1, "the tool call has one effect");
}));

test("a stream of server-sent events that a server stop ends is reported as an error", () => withUser(graphqlSSE, async ({ client }) => {
  const { events } = await openTaskStream(client);
  const end = assert.rejects(async () => {
    for await (const _ of events);
  });
  await server.restart();
  await end;
}));

test("a socket that a server stop closes is advised to reconnect", () => withUser(graphqlWS, async ({ client }) => {
  const { events } = await openTaskStream(client);
  const end = assert.rejects(async () => {
    for await (const _ of events);
  }, { code: 1012 });
  await server.restart();
  await end;
}));
