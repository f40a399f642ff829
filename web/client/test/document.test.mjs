import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { resumable, resume } from "@errand/client";
import { buildASTSchema, parse, print, validate } from "graphql";

const folder = join(import.meta.dirname, "..", "..", "..", "graph");
const sdl = await Promise.all((await readdir(folder)).filter((name) => name.endsWith(".graphqls")).map((name) => readFile(join(folder, name), "utf8")));
const schema = buildASTSchema(parse(sdl.join("\n")), { assumeValidSDL: true });

const event = "__typename ... on MessageDelta { text }";
const cases = {
  "nothing given": [`subscription { taskStream { kind } }`, "after", { taskStream: { cursor: "c" } }],
  "an alias of the stream": [`subscription ($id: ID!) { s: messageStream(conversationId: $id) { ${event} } }`, "after", { s: { cursor: "c" } }],
  "all given": [`subscription ($after: Cursor) { taskStream(after: $after) { cursor } }`, "after", { taskStream: { cursor: "c" } }],
  "another variable": [`subscription ($since: Cursor) { taskStream(after: $since) { kind } }`, "since", { taskStream: { cursor: "c" } }],
  "null": [`subscription { taskStream(after: null) { kind } }`, "after", { taskStream: { cursor: "c" } }],
  "an alias of cursor": [`subscription { taskStream { at: cursor } }`, "after", { taskStream: { at: "c" } }],
  "another field named cursor": [`subscription { taskStream { cursor: kind } }`, "after", { taskStream: { cursor: "CREATED", streamCursor: "c" } }],
  "the stream in a fragment": [`subscription { ...S } fragment S on Subscription { taskStream { kind } }`, "after", { taskStream: { cursor: "c" } }],
  "the stream in an inline fragment": [`subscription { ... on Subscription { taskStream { kind } } }`, "after", { taskStream: { cursor: "c" } }],
  "the event in a fragment": [`subscription { taskStream { ...E } } fragment E on TaskEvent { kind task { id } }`, "after", { taskStream: { cursor: "c" } }],
};
for (const [name, [text, variable, data]] of Object.entries(cases)) {
  test(`a subscription is made resumable: ${name}`, () => {
    const stream = resumable(parse(text));
    assert.deepEqual(validate(schema, parse(print(stream.document))), [], print(stream.document));
    assert.match(print(stream.document), new RegExp(`after: \\$${variable}\\b`));
    assert.match(print(stream.document), new RegExp(`\\$${variable}: Cursor`));
    assert.equal(stream.variable, variable);
    assert.equal(stream.cursor(data), "c");
    assert.equal(stream.cursor(null), undefined);
    assert.equal(resumable(stream.document), stream);
  });
}

test("queries and mutations stay as they are", () => {
  assert.equal(resumable(parse(`{ tasks { totalCount } }`)), null);
  assert.equal(resumable(parse(`mutation { deleteTask(id: "x") { task { id } } }`)), null);
});

test("a cursor as a literal is reported with the correction", () => {
  assert.throws(() => resumable(parse(`subscription { taskStream(after: "x") { kind } }`)), /after: \$after/);
});

/** A graphql-ws client that records its payloads. */
const recorder = (sent) => ({ subscribe: (payload, sink) => (sent.push({ payload, sink }), () => {}) });
const sink = { next() {}, error() {}, complete() {} };

test("resume writes the cursor of the last event into the variables that graphql-ws sends again", () => {
  const sent = [];
  const client = resume(recorder(sent));
  const given = { id: "1" };
  const query = `# a comment with cursor
    subscription ($id: ID!, $since: Cursor) { s: messageStream(conversationId: $id, after: $since) { at: cursor } }`;
  client.subscribe({ query, variables: given }, sink);
  client.subscribe({ query, variables: given }, sink);
  sent[0].sink.next({ data: { s: { at: "one" } } });
  sent[1].sink.next({ data: { s: { at: "two" } } });
  sent[0].sink.next({ data: null, errors: [] });
  assert.deepEqual(sent.map((s) => s.payload.variables), [{ id: "1", since: "one" }, { id: "1", since: "two" }]);
  assert.deepEqual(given, { id: "1" });
});

test("resume rejects a subscription that cannot be resumed, and names the correction", () => {
  const client = resume(recorder([]));
  assert.throws(() => client.subscribe({ query: `subscription { taskStream { kind } }` }, sink), /\$after: Cursor.*select cursor/s);
  assert.throws(() => client.subscribe({ query: `subscription ($after: Cursor) { taskStream(after: $after) { kind } }` }, sink), /select cursor/);
});

test("resume is not misled by other cursors and arguments", () => {
  const texts = [
    `subscription ($after: Cursor) { taskStream(after: $after) { taskEdge { cursor } } }`,
    `subscription ($after: Cursor) { taskStream { cursor task { changes(after: $after) { totalCount } } } }`,
    `subscription ($after: Cursor) { taskStream(after: $after) { cursor: kind } }`,
  ];
  for (const query of texts) assert.throws(() => resume(recorder([])).subscribe({ query }, sink), /cannot be resumed/, query);
  const sent = [];
  const query = `subscription ($o: TaskOrder, $after: Cursor) { taskStream(after: $after) { taskEdge(orderBy: {field: DUE}) { cursor } at: cursor } }`;
  resume(recorder(sent)).subscribe({ query }, sink);
  sent[0].sink.next({ data: { taskStream: { at: "c" } } });
  assert.equal(sent[0].payload.variables.after, "c");
});

test("resume passes queries on", () => {
  const sent = [];
  const payload = { query: `query { tasks { nodes { title } } }` };
  resume(recorder(sent)).subscribe(payload, sink);
  assert.equal(sent[0].payload, payload);
});
