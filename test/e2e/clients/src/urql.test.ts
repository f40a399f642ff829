import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pipe, subscribe } from "wonka";
import { TaskWithHistoryDocument } from "./generated.js";
import { urqlClient, urqlSSE, urqlWebSocket } from "./kinds/urql.js";
import { testClient } from "./scenarios.js";
import { withUser, createTasks } from "./environment.js";

testClient(urqlWebSocket);
testClient(urqlSSE);

describe("urql, @defer", () => {
  it("delivers the first part, then the complete data", () => withUser(urqlSSE, async ({ client, token, link }) => {
    await createTasks(client, 1);
    const results: any[] = [];
    await new Promise<void>((resolve, reject) => {
      pipe(
        urqlClient(link.url, token).query(TaskWithHistoryDocument, { number: 1 }),
        subscribe(({ data, error, hasNext }) => {
          if (error) return reject(error);
          results.push(structuredClone(data?.task));
          if (!hasNext) resolve();
        }),
      );
    });
    assert.equal(results[0].title, "Task 1");
    assert.notEqual(results[0].changes, null, "a null would be taken for the value");
    assert.equal(results.at(-1).changes.totalCount, 1);
  }));
});
