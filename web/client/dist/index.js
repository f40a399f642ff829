export { createErrand } from "./client.js";
export { emptyConversation, isFinished, mergeMessages, reduceConversation, } from "./conversation.js";
export { resumable } from "./document.js";
export { ErrandError, errorCode, errorCodes, isNetworkError, isSignedOut, retryAfterMs, toErrandError, } from "./errors.js";
export { possibleTypes } from "./possibleTypes.js";
export { resume } from "./resume.js";
export { socketOptions } from "./socket.js";
export { emptyTasks, mergeTasks, reduceTasks } from "./tasks.js";
