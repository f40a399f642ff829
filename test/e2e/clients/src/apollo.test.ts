import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ApolloClient, InMemoryCache, type ApolloLink, type TypedDocumentNode } from "@apollo/client";
import { GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { parse } from "graphql";
import * as g from "./generated.js";
import { apolloClient, apolloMultipart, apolloWebSocket, httpLink } from "./kinds/apollo.js";
import { finished, send, testClient, watch } from "./scenarios.js";
import { ConversationState } from "./conversation.js";
import { withUser, createTasks, type User } from "./environment.js";

testClient(apolloWebSocket);
testClient(apolloMultipart);

const sha256 = (query: string) => createHash("sha256").update(query).digest("hex");

/** An Apollo Client that records its requests. */
function recorded({ link: { url }, token }: User, wrap: (link: ApolloLink) => ApolloLink = (link) => link, cache?: InMemoryCache) {
  const requests: { method: string; text: string; accept: string }[] = [];
  const link = httpLink(url, token, (input, init) => {
    const text = init?.body ? String(init.body) : decodeURIComponent(String(input));
    requests.push({ method: init?.method ?? "GET", text, accept: new Headers(init?.headers).get("accept") ?? "" });
    return fetch(input, init);
  });
  return { client: apolloClient(wrap(link), cache), requests };
}

describe("Apollo Client, persisted queries", () => {
  for (const method of ["POST", "GET"]) {
    it(`sends a query once, then its hash by ${method}`, () => withUser(apolloMultipart, async (user) => {
      const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries: method === "GET" });
      const { client, requests } = recorded(user, (link) => persisted.concat(link));
      await createTasks(user.client, 1);
      // A document that no other test sends, because all users share the server's document cache.
      const query: TypedDocumentNode<{ task: { title: string } }> = parse(`query By${method} { task(number: 1) { title } }`);
      for (let i = 0; i < 2; i++) {
        const { data } = await client.query({ query, fetchPolicy: "network-only" });
        assert.equal(data?.task.title, "Task 1");
      }
      const texts = requests.map(({ text }) => text.includes("task(number: 1)"));
      assert.deepEqual(texts, [false, true, false], "unknown hash, query with hash, known hash");
      assert.equal(requests.at(-1)?.method, method);
    }));
  }
});

describe("Apollo Client, @defer", () => {
  it("delivers the first part, then the complete data, and no null for deferred fields", () => withUser(apolloMultipart, async (user) => {
    await addTaskByAgent(user);
    const { client, requests } = recorded(user);
    const states: string[] = [];
    const query = client.watchQuery({ query: g.TaskWithHistoryDocument, variables: { number: 1 } });
    const complete = await new Promise<any>((resolve, reject) => {
      query.subscribe(({ data, dataState, error }) => {
        if (error) return reject(error);
        states.push(dataState);
        const task = (data as any)?.task;
        if (dataState === "streaming") assert.ok(task.title === "Buy groceries" && task.changes !== null);
        if (dataState === "complete") resolve(task);
      });
    });
    assert.deepEqual(states.filter((state) => state !== "empty"), ["streaming", "complete"]);
    assert.equal(complete.description, "");
    assert.equal(complete.changes.totalCount, 1);
    assert.deepEqual([complete.changes.nodes[0].actor, complete.changes.nodes[0].toolCall.name], ["AGENT", "add_task"]);
    assert.match(requests[0]!.accept, /multipart\/mixed;deferSpec=20220824/);
  }));
});

describe("Apollo Client, incremental delivery of a later draft", () => {
  it("receives the complete response at once", () => withUser(apolloMultipart, async (user) => {
    await createTasks(user.client, 1);
    const client = new ApolloClient({
      link: httpLink(user.link.url, user.token),
      cache: new InMemoryCache(),
      incrementalHandler: new GraphQL17Alpha9Handler(),
    });
    const { data } = await client.query({ query: g.TaskWithHistoryDocument, variables: { number: 1 } });
    assert.equal((data as any).task.changes.totalCount, 1);
  }));
});

describe("Apollo Client, cache", () => {
  it("fetches further pages with relayStylePagination and shows mutations in the list", () => withUser(apolloMultipart, async (user) => {
    await createTasks(user.client, 5);
    const cache = new InMemoryCache({ typePolicies: { Query: { fields: { tasks: relayStylePagination() } } } });
    const { client } = recorded(user, undefined, cache);
    const query = client.watchQuery({ query: g.TasksDocument, variables: { first: 2 } });
    // The content of the list after each change.
    const shown: string[] = [];
    let changed = () => {};
    const watching = query.subscribe(({ data, dataState }) => {
      if (dataState !== "complete") return;
      shown.push(data.tasks.edges.map(({ node }) => `${node.number}${node.completed ? " done" : ""}`).join());
      changed();
    });
    const shows = async (list: string) => {
      while (shown.at(-1) !== list) await new Promise<void>((resolve) => (changed = resolve));
    };
    await shows("5,4");
    for (const list of ["5,4,3,2", "5,4,3,2,1"]) {
      const { endCursor } = query.getCurrentResult().data!.tasks!.pageInfo as g.PagePartsFragment;
      await query.fetchMore({ variables: { first: 2, after: endCursor } });
      await shows(list);
    }
    const { task } = (await client.mutate({ mutation: g.CompleteTaskDocument, variables: { id: await idOf(3) } })).data!.completeTask!;
    assert.equal(task.completed, true);
    await shows("5,4,3 done,2,1");
    watching.unsubscribe();

    async function idOf(number: number) {
      const { tasks } = await user.client.request(g.TasksDocument, { first: 5 });
      return tasks.edges.find(({ node }) => node.number === number)!.node.id;
    }
  }));
});

/** Creates the first task through the agent. */
async function addTaskByAgent({ client }: User) {
  const { conversation, assistantMessage } = await send(client, "Add a task to buy groceries");
  await watch(client, conversation.id, new ConversationState(), finished(assistantMessage.id));
}
