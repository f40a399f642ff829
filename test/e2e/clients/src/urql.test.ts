import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pipe, subscribe } from "wonka";
import { TaskWithHistoryDocument } from "./generated.js";
import { urqlClient, urqlSSE, urqlWebSocket } from "./kinds/urql.js";
import { tellStory } from "./story.js";
import { asSomebody, makeTasks } from "./world.js";

tellStory(urqlWebSocket);
tellStory(urqlSSE);

describe("urql, @defer", () => {
  it("shows the first part, then the whole", () => asSomebody(urqlSSE, async ({ client, token, wire }) => {
    await makeTasks(client, 1);
    const shown: any[] = [];
    await new Promise<void>((resolve, reject) => {
      pipe(
        urqlClient(wire.url, token).query(TaskWithHistoryDocument, { number: 1 }),
        subscribe(({ data, error, hasNext }) => {
          if (error) return reject(error);
          shown.push(structuredClone(data?.task));
          if (!hasNext) resolve();
        }),
      );
    });
    assert.equal(shown[0].title, "Task 1");
    assert.notEqual(shown[0].changes, null, "a null would be taken for the value");
    assert.equal(shown.at(-1).changes.totalCount, 1);
  }));
});
