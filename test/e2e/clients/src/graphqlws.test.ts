import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createClient } from "graphql-ws";
import { TasksDocument } from "./generated.js";
import { graphqlWS, over, socketOptions } from "./kinds/graphqlws.js";
import { assertStored, finished, send, tellStory, watch } from "./story.js";
import { View } from "./view.js";
import { asSomebody, makeTasks } from "./world.js";

tellStory(graphqlWS);

describe("graphql-ws with its own retries", () => {
  // On a retry the library subscribes with the first variables: the stream opens anew, from the newest turn.
  it("reconnects after each cut and ends with exactly the stored text", () => asSomebody(graphqlWS, async ({ client, token, wire }) => {
    await makeTasks(client, 10);
    const { conversation, assistantMessage } = await send(client, "List my tasks");
    const retrying = over(createClient({ ...socketOptions(wire.url, token), retryAttempts: 5, retryWait: async () => {} }));
    const view = new View();
    const before = wire.connections;
    await watch(retrying, conversation.id, view, (event) => {
      if (event.__typename === "MessageDelta" && view.deltas % 5 === 0 && wire.connections - before < 3) void wire.cut();
      return finished(assistantMessage.id)(event);
    });
    await retrying.close();
    assert.ok(wire.connections - before >= 3, "the wire was cut");
    assert.match(view.message(assistantMessage.id).content, /Task 10/);
    await assertStored(client, view.message(assistantMessage.id));
  }));

  it("reconnects with a new token after 4403", () => asSomebody(graphqlWS, async ({ client, token, wire }) => {
    await makeTasks(client, 1);
    const codes: unknown[] = [];
    let next = "bad";
    const renewing = createClient({
      ...socketOptions(wire.url, token),
      connectionParams: () => ({ authorization: `Bearer ${next}` }),
      retryAttempts: 5,
      retryWait: async () => void (next = token),
      on: { closed: (event) => codes.push((event as { code?: number }).code) },
    });
    const { tasks } = await over(renewing).ask(TasksDocument, { first: 1 });
    assert.equal(tasks.totalCount, 1);
    assert.deepEqual(codes, [4403]);
    await renewing.dispose();
  }));
});
