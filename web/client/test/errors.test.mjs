import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CombinedGraphQLErrors } from "@apollo/client";
import { CombinedError } from "@urql/core";
import { ErrandError, errorCode, errorCodes, isNetworkError, isSignedOut, retryAfterMs, toErrandError } from "@errand/client";

const limited = { message: "Too many.", extensions: { code: "RATE_LIMITED", retryAfterMs: 5 } };

test("the codes are those of the server", async () => {
  const source = await readFile(join(import.meta.dirname, "..", "..", "..", "internal", "apperr", "apperr.go"), "utf8");
  const codes = [...source.matchAll(/\bCode = "([A-Z_]+)"/g)].map((m) => m[1]);
  assert.deepEqual([...errorCodes].sort(), codes.sort());
});

const thrown = {
  "graphql-ws": [limited],
  "Apollo Client": new CombinedGraphQLErrors({ errors: [limited] }),
  urql: new CombinedError({ graphQLErrors: [limited] }),
  "one error": limited,
  "an error with a cause": new Error("x", { cause: [limited] }),
  "createErrand": new ErrandError("RATE_LIMITED", "Too many.", { errors: [limited] }),
};
for (const [name, error] of Object.entries(thrown)) {
  test(`the code of an error is found: ${name}`, () => {
    assert.equal(errorCode(error), "RATE_LIMITED");
    assert.equal(toErrandError(error).message, "Too many.");
    assert.equal(retryAfterMs(error), 5);
  });
}

test("the error of a message keeps its code and time", () => {
  const error = toErrandError({ code: "RATE_LIMITED", message: "Later.", retryAt: new Date(Date.now() + 60_000).toISOString() });
  assert.equal(error.code, "RATE_LIMITED");
  assert.ok(error.extensions.retryAfterMs > 50_000);
});

test("errors without an answer of the server are network errors", () => {
  for (const error of [new TypeError("fetch failed"), { code: 1006, reason: "" }, new CombinedError({ networkError: new Error("x") }), undefined, null, "x"]) {
    assert.ok(isNetworkError(error));
    assert.ok(retryAfterMs(error) > 0);
  }
});

test("a rejected token means signed out, and other errors no retry", () => {
  assert.ok(isSignedOut({ code: 4403, reason: "Token expired" }));
  assert.equal(retryAfterMs([{ message: "No.", extensions: { code: "FORBIDDEN", scope: "chat" } }]), undefined);
});
