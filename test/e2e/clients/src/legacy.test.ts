import { apolloLegacy } from "./kinds/apollo.js";
import { legacy } from "./kinds/legacy.js";
import { tellStory } from "./story.js";

tellStory(legacy);
tellStory(apolloLegacy);
