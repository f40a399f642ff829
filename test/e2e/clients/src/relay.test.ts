import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "./client.js";
import * as g from "./generated.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";
import { walk, type PageArguments } from "./pages.js";
import { finished, send, watch } from "./story.js";
import { View } from "./view.js";
import { asSomebody, makeTasks } from "./world.js";

const tasksOf = (client: Client, more: g.TasksQueryVariables = {}) => async (page: PageArguments) =>
  (await client.ask(g.TasksDocument, { ...more, ...page })).tasks;

describe("a Relay paginator", { concurrency: true }, () => {
  it("walks tasks from both ends, in pages of every size and in every order", () => asSomebody(graphqlSSE, async ({ client }) => {
    await makeTasks(client, 7);
    for (const field of ["NUMBER", "TITLE", "PRIORITY"] as const) {
      for (const direction of ["ASC", "DESC"] as const) {
        const fetchPage = tasksOf(client, { orderBy: { field, direction } });
        for (const size of [2, 7, 100]) {
          const forward = (await walk("forward", size, fetchPage)).map((task) => task.number);
          const backward = (await walk("backward", size, fetchPage)).map((task) => task.number);
          assert.deepEqual(backward, forward, `${field} ${direction} by ${size}`);
          assert.deepEqual(forward.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
        }
      }
    }
  }));

  it("neither skips nor repeats a task while others are created and deleted", () => asSomebody(graphqlSSE, async ({ client }) => {
    await makeTasks(client, 9);
    const fetchPage = tasksOf(client);
    let pages = 0;
    const seen = await walk("forward", 3, async (page) => {
      const connection = await fetchPage(page);
      // The end of each page, behind which the next begins, goes away; a new task comes in front.
      await client.ask(g.DeleteTaskDocument, { id: connection.edges.at(-1)!.node.id });
      await makeTasks(client, 1);
      pages++;
      return { ...connection, totalCount: 9 };
    });
    assert.equal(pages, 3);
    assert.deepEqual(seen.map((task) => task.number), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
  }));

  it("walks the messages of a conversation from both ends", () => asSomebody(graphqlSSE, async ({ client }) => {
    const view = new View();
    let conversationId: string | undefined;
    for (const words of ["Hello", "Add a task to call Bob", "Hello again"]) {
      const turn = await send(client, words, conversationId);
      conversationId = turn.conversation.id;
      await watch(client, conversationId, view, finished(turn.assistantMessage.id), view.cursor);
    }
    const fetchPage = async (page: PageArguments) => {
      const { conversation } = await client.ask(g.MessagesDocument, { conversationId: conversationId!, ...page });
      return conversation!.messages;
    };
    for (const size of [1, 2, 4, 6]) {
      const forward = await walk("forward", size, fetchPage);
      assert.deepEqual(await walk("backward", size, fetchPage), forward);
      assert.deepEqual(forward, [...view.messages.values()], "pages and stream show the same");
    }
  }));
});
