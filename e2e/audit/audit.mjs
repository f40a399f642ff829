// Runs every audit of graphql-http against the server at the given URL and fails unless
// each one passes, warnings included. The server must answer introspection, since some
// audits ask __type.
//
//   node audit.mjs http://127.0.0.1:8080/graphql
import { auditServer } from 'graphql-http';

const url = process.argv[2] ?? process.env.GRAPHQL_URL;
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const results = await auditServer({ url });
const failed = results.filter((result) => result.status !== 'ok');
for (const { id, name, status, reason } of failed) {
  console.error(`${status} ${id} ${name}: ${reason}`);
}
console.log(`${results.length - failed.length} of ${results.length} audits pass`);

// An audit that is gone from the library would otherwise pass unseen.
const expected = 61;
if (results.length !== expected) {
  console.error(`expected ${expected} audits`);
}
process.exit(failed.length === 0 && results.length === expected ? 0 : 1);
