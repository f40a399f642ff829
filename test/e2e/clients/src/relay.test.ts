import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "./client.js";
import * as g from "./generated.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";
import { fetchAll, type PageArguments } from "./pages.js";
import { finished, send, watch } from "./scenarios.js";
import { ConversationState } from "./conversation.js";
import { withUser, createTasks } from "./environment.js";

const tasksPage = (client: Client, more: g.TasksQueryVariables = {}) => async (page: PageArguments) =>
  (await client.request(g.TasksDocument, { ...more, ...page })).tasks;

describe("a Relay paginator", { concurrency: true }, () => {
  it("walks tasks from both ends, in pages of every size and in every order", () => withUser(graphqlSSE, async ({ client }) => {
    await createTasks(client, 7);
    for (const field of ["NUMBER", "TITLE", "PRIORITY"] as const) {
      for (const direction of ["ASC", "DESC"] as const) {
        const fetchPage = tasksPage(client, { orderBy: { field, direction } });
        for (const size of [2, 7, 100]) {
          const forward = (await fetchAll("forward", size, fetchPage)).map((task) => task.number);
          const backward = (await fetchAll("backward", size, fetchPage)).map((task) => task.number);
          assert.deepEqual(backward, forward, `${field} ${direction} by ${size}`);
          assert.deepEqual(forward.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
        }
      }
    }
  }));

  it("neither skips nor repeats a task while others are created and deleted", () => withUser(graphqlSSE, async ({ client }) => {
    await createTasks(client, 9);
    const fetchPage = tasksPage(client);
    let pages = 0;
    const seen = await fetchAll("forward", 3, async (page) => {
      const connection = await fetchPage(page);
      // Deletes the last task of each page, after which the next page starts, and adds a task at the front.
      await client.request(g.DeleteTaskDocument, { id: connection.edges.at(-1)!.node.id });
      await createTasks(client, 1);
      pages++;
      return { ...connection, totalCount: 9 };
    });
    assert.equal(pages, 3);
    assert.deepEqual(seen.map((task) => task.number), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
  }));

  it("walks the messages of a conversation from both ends", () => withUser(graphqlSSE, async ({ client }) => {
    const state = new ConversationState();
    let conversationId: string | undefined;
    for (const content of ["Hello", "Add a task to call Bob", "Hello again"]) {
      const turn = await send(client, content, conversationId);
      conversationId = turn.conversation.id;
      await watch(client, conversationId, state, finished(turn.assistantMessage.id), state.cursor);
    }
    const fetchPage = async (page: PageArguments) => {
      const { conversation } = await client.request(g.MessagesDocument, { conversationId: conversationId!, ...page });
      return conversation!.messages;
    };
    for (const size of [1, 2, 4, 6]) {
      const forward = await fetchAll("forward", size, fetchPage);
      assert.deepEqual(await fetchAll("backward", size, fetchPage), forward);
      assert.deepEqual(forward, [...state.messages.values()], "pages and stream are equal");
    }
  }));
});
