import { apolloLegacy } from "./kinds/apollo.js";
import { legacy } from "./kinds/legacy.js";
import { testClient } from "./scenarios.js";

testClient(legacy);
testClient(apolloLegacy);
