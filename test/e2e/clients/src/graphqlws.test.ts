import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createClient } from "graphql-ws";
import { TasksDocument } from "./generated.js";
import { graphqlWS, over, socketOptions } from "./kinds/graphqlws.js";
import { assertStored, finished, send, testClient, watch } from "./scenarios.js";
import { ConversationState } from "./conversation.js";
import { withUser, createTasks } from "./environment.js";

testClient(graphqlWS);

describe("graphql-ws with its own retries", () => {
  // On a retry the library subscribes with the original variables, so the stream starts from the newest turn again.
  it("reconnects after each dropped connection and ends with exactly the stored text", () => withUser(graphqlWS, async ({ client, token, link }) => {
    await createTasks(client, 10);
    const { conversation, assistantMessage } = await send(client, "List my tasks");
    const retrying = over(createClient({ ...socketOptions(link.url, token), retryAttempts: 5, retryWait: async () => {} }));
    const state = new ConversationState();
    const before = link.connections;
    await watch(retrying, conversation.id, state, (event) => {
      if (event.__typename === "MessageDelta" && state.deltas % 5 === 0 && link.connections - before < 3) void link.drop();
      return finished(assistantMessage.id)(event);
    });
    await retrying.close();
    assert.ok(link.connections - before >= 3, "connections were dropped");
    assert.match(state.message(assistantMessage.id).content, /Task 10/);
    await assertStored(client, state.message(assistantMessage.id));
  }));

  it("reconnects with a new token after 4403", () => withUser(graphqlWS, async ({ client, token, link }) => {
    await createTasks(client, 1);
    const codes: unknown[] = [];
    let next = "bad";
    const renewing = createClient({
      ...socketOptions(link.url, token),
      connectionParams: () => ({ authorization: `Bearer ${next}` }),
      retryAttempts: 5,
      retryWait: async () => void (next = token),
      on: { closed: (event) => codes.push((event as { code?: number }).code) },
    });
    const { tasks } = await over(renewing).request(TasksDocument, { first: 1 });
    assert.equal(tasks.totalCount, 1);
    assert.deepEqual(codes, [4403]);
    await renewing.dispose();
  }));
});
