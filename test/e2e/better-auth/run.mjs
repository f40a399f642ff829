// Runs the suite with Node 22, whose SQLite the Better Auth server uses: npm ci && npm test. Needs Go.
import { runSuite } from "../node22.mjs";

runSuite(import.meta.dirname, { ERRAND_BIN: "../../../cmd/errand" }, ["--no-warnings"]);
