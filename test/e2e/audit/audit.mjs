// Runs every audit of graphql-http against the binary, or against the server at a given URL, and fails unless each one
// passes, warnings included, except those that a later edition of the specification supersedes. Introspection must be
// enabled, because some audits query __type.
//
//   node audit.mjs [http://127.0.0.1:8080/graphql]
import { auditServer } from 'graphql-http';
import { startServer } from '../server.mjs';

const server = process.argv[2] ? undefined : await startServer();
const url = process.argv[2] ?? `${server.url}/graphql`;

// Audits that ask for exactly 400 where GraphQL over HTTP, edition of September 2026, has 422.
const superseded = {
  '74FF': 'status of a document that is not valid, with application/graphql-response+json',
  '86EE': 'status of variables that do not fit their types, with application/graphql-response+json',
};

const results = await auditServer({ url });
await server?.stop();
const failed = [];
for (const result of results) {
  const { id, name, status, reason, response } = result;
  if (status === 'ok') continue;
  if (id in superseded && response?.status === 422) {
    console.log(`superseded ${id}: ${superseded[id]}`);
    continue;
  }
  failed.push(result);
  console.error(`${status} ${id} ${name}: ${reason}`);
}
console.log(`${results.length - failed.length} of ${results.length} audits pass or are superseded`);
// The format of node's test runner, which test/e2e/run reads.
console.log(`# pass ${results.length - failed.length}\n# fail ${failed.length}`);

// Detects audits that a new version of the library no longer contains.
const expected = 61;
if (results.length !== expected) {
  console.error(`expected ${expected} audits`);
}
process.exit(failed.length === 0 && results.length === expected ? 0 : 1);
