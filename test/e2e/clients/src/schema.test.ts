import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { it } from "node:test";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  lexicographicSortSchema,
  printSchema,
  validateSchema,
} from "graphql";
import { server } from "./environment.js";

it("errand schema prints what introspection returns, for graphql-js", async () => {
  const printed = buildSchema(execFileSync(process.env.ERRAND_BIN!, ["schema"], { encoding: "utf8" }));
  assert.deepEqual(validateSchema(printed), []);
  const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, oneOf: true });
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${await server.signIn("schema")}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  const served = lexicographicSortSchema(buildClientSchema(data));
  assert.equal(printSchema(lexicographicSortSchema(printed)), printSchema(served));
  assert.equal(printed.getDirective("defer")?.args.length, 2);
  for (const type of [printed.getQueryType(), printed.getMutationType(), printed.getSubscriptionType()])
    assert.ok(type?.description);
});
