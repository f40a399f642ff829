// Runs the suite with Node 22, which the conformance suite and the inspector need: npm ci && npm test. Needs Go.
import { runSuite } from "../node22.mjs";

runSuite(import.meta.dirname, { ERRAND_BIN: "../../../cmd/errand", FIXTURE_BIN: "./fixture" }, ["--test-concurrency=1"]);
