import { tellStory } from "./story.js";
import { graphqlSSE } from "./kinds/graphqlsse.js";

tellStory(graphqlSSE);
