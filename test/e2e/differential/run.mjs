// Sends generated requests to the binary and compares what it does with graphql-js: which are accepted, at which step
// the others are rejected, and the shape of the data.
//
//   node run.mjs [--seed N] [--for 5m] [--only ITERATION] [--url http://127.0.0.1:8080]
//
// A run with a seed makes the same requests again. --only makes one of them. The default is a new seed and one minute.
import { parseArgs } from 'node:util';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { startServer } from '../server.mjs';
import { request as generate } from './documents.mjs';
import { actual, difference, expected } from './oracle.mjs';
import { random } from './random.mjs';

const { values: options } = parseArgs({
  options: { seed: { type: 'string' }, for: { type: 'string', default: '1m' }, only: { type: 'string' }, url: { type: 'string' } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000);
const duration = milliseconds(options.for);
const workers = 4;
const maxReports = 10;

/** Differences that are intended, by the class at graphql-js and at the server. */
const intended = [
  {
    what: 'a Float that is infinite as a number of 64 bits is rejected, also as a literal',
    matches: (want, got, request) => got.class === 'validation' && /[eE]\+?\d{3}|\d{300}/.test(request.query),
  },
  {
    what: 'control characters in strings are rejected',
    matches: (want, got, request) => got.class === 'parse' && /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(request.query),
  },
  {
    what: 'seven or more quotes in a row, which are two strings without a space, are rejected',
    matches: (want, got, request) => got.class === 'parse' && /"{7}/.test(request.query),
  },
  {
    what: 'an alias of __typename conflicts with a field of another type; graphql-js does not compare __typename',
    matches: (want, got, request) => got.class === 'validation' && /conflicting types/.test(got.reason) && /: __typename/.test(request.query),
  },
  {
    what: 'graphql-js has fields and arguments of introspection that are not in the specification',
    matches: (want, got) => got.class === 'validation' && /\\"__[A-Z]/.test(got.reason),
  },
  {
    what: 'deep introspection is rejected',
    matches: (want, got) => got.class === 'validation' && /Maximum introspection depth/.test(got.reason),
  },
  {
    what: 'null in a place that needs a value rejects the whole request, not one field',
    matches: (want, got) => got.class === 'coercion' && /must not be null: it is used where/.test(got.reason),
  },
  {
    what: 'a subscription without a root field is rejected, which graphql-js does only when it is executed',
    matches: (want, got) => got.class === 'coercion' && /A subscription must select one top level field/.test(got.reason),
  },
  {
    what: '@skip and @include with a variable at the root of a subscription: graphql-js throws in its rule',
    matches: (want, got, request) => /top level field/.test(got.reason) && /@(skip|include)\(if: \$/.test(request.query),
  },
  {
    what: 'an operation name that does not exist, in an invalid document: the steps are in another order',
    matches: (want, got) => want.class === 'coercion' && want.reason === 'no such operation' && got.class === 'validation',
  },
];

const server = options.url ? { url: options.url, signIn: signInAt(options.url), stop: async () => {} } : await startServer();
const token = await server.signIn('differential');
const schema = buildClientSchema((await send({ query: getIntrospectionQuery({ oneOf: true }) })).body.data);
for (const title of ['Buy milk', 'Call Ada']) {
  await send({ query: 'mutation($t: String!) { createTask(input: {title: $t}) { task { id } } }', variables: JSON.stringify({ t: title }) });
}
await send({ query: 'mutation { createConversation { conversation { id } } }' });

const counts = {};
const reports = new Map();
let iteration = 0;
const until = Date.now() + duration;
if (options.only !== undefined) {
  await compare(Number(options.only), true);
} else {
  await Promise.all(Array.from({ length: workers }, async () => {
    while (Date.now() < until && reports.size < maxReports) await compare(iteration++, false);
  }));
}
await server.stop();
for (const report of reports.values()) console.error(report);
console.log(`seed ${seed}: ${iteration} requests: ${JSON.stringify(counts)}`);
// The format of node's test runner, which test/e2e/run reads.
console.log(`# pass ${iteration - reports.size}\n# fail ${reports.size}`);
process.exit(reports.size === 0 ? 0 : 1);

/** Makes one request and reports a difference. */
async function compare(n, verbose) {
  const request = generate(schema, random(seed, n));
  const want = expected(schema, request);
  const response = await send(request);
  let got = actual(response);
  let wanted = want;
  if (want.class === 'executed' && got.class !== 'broken') {
    const found = await difference(schema, want, got.class === 'executed' ? response.body.data ?? null : null);
    if (found) wanted = found;
  }
  counts[got.class] = (counts[got.class] ?? 0) + 1;
  if (verbose) console.log(JSON.stringify(request, null, 2), wanted.class, wanted.reason, got, JSON.stringify(response.body));
  if (got.class === 'limit' || wanted.class === got.class) return;
  if (intended.some((difference) => difference.matches(wanted, got, request))) return;
  const key = `${wanted.class} ${got.class} ${generalise(wanted.reason)} ${generalise(got.reason)}`;
  if (reports.has(key)) return;
  reports.set(key, [
    `--- graphql-js: ${wanted.class} (${wanted.reason ?? ''})`,
    `    errand:     ${got.class} (${got.reason})`,
    `    ${JSON.stringify(request)}`,
    `    again: npm run fuzz -- --seed ${seed} --only ${n}`,
  ].join('\n'));
}

/** A message without its names and numbers. */
function generalise(text = '') {
  return text.replace(/"(\\.|[^"\\])*"|\d+/g, '…').slice(0, 80);
}

async function send({ query, operationName, variables }) {
  const members = [`"query":${JSON.stringify(query)}`];
  if (operationName !== undefined) members.push(`"operationName":${JSON.stringify(operationName)}`);
  if (variables !== undefined) members.push(`"variables":${variables}`); // as it is: numbers keep their text
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', authorization: `Bearer ${token}` },
    body: `{${members.join(',')}}`,
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: { errors: [{ message: text, extensions: { code: 'not JSON' } }] } };
  }
}

function signInAt(url) {
  return async (user) => {
    const response = await fetch(`${url}/dev/sign-in`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user }),
    });
    return (await response.json()).token;
  };
}

function milliseconds(text) {
  const [, n, unit] = /^(\d+)(s|m|h)$/.exec(text) ?? [];
  if (!unit) throw new Error(`--for ${text}: use a number with s, m or h`);
  return Number(n) * { s: 1e3, m: 60e3, h: 3600e3 }[unit];
}
