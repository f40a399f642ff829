import { testClient } from "./scenarios.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";

testClient(graphqlSSE);
