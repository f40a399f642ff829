import assert from "node:assert/strict";
import { test } from "node:test";
import { gql, InMemoryCache } from "@apollo/client";
import { possibleTypes, typePolicies } from "@errand/client/apollo";

const cached = (...results) => {
  const cache = new InMemoryCache({ possibleTypes, typePolicies });
  for (const [query, data] of results) cache.writeQuery({ query, data });
  return (query) => cache.readQuery({ query });
};

test("Apollo Client's cache: counts of two queries complete each other", () => {
  const pending = gql`{ taskCounts { pending } }`;
  const overdue = gql`{ taskCounts { overdue } }`;
  const counts = (values) => ({ taskCounts: { __typename: "TaskCounts", ...values } });
  const read = cached([pending, counts({ pending: 3 })], [overdue, counts({ overdue: 1 })]);
  assert.deepEqual(read(pending), counts({ pending: 3 }));
  assert.deepEqual(read(overdue), counts({ overdue: 1 }));
});

test("Apollo Client's cache: a tool call that an older response lacks stays", () => {
  const query = gql`{ node(id: "msg_1") { ... on Message { id toolCalls { id status } } } }`;
  const message = (...calls) => ({
    node: { __typename: "Message", id: "msg_1", toolCalls: calls.map(([id, status]) => ({ __typename: "ToolCall", id, status })) },
  });
  const read = cached([query, message(["a", "STARTED"], ["b", "STARTED"])], [query, message(["a", "SUCCEEDED"])]);
  assert.deepEqual(read(query), message(["a", "SUCCEEDED"], ["b", "STARTED"]));
});
