export { createErrand, type ConnectionState, type Errand, type ErrandSettings, type Observer, type Operation, type RequestOptions } from "./client.js";
export {
  emptyConversation,
  isFinished,
  mergeMessages,
  reduceConversation,
  type ConversationState,
} from "./conversation.js";
export { resumable, type Resumable } from "./document.js";
export {
  ErrandError,
  errorCode,
  errorCodes,
  isNetworkError,
  isSignedOut,
  retryAfterMs,
  toErrandError,
  type ErrorCode,
  type ErrorExtensions,
  type NetworkErrorCode,
  type ServerError,
} from "./errors.js";
export { possibleTypes } from "./possibleTypes.js";
export { resume } from "./resume.js";
export { socketOptions, type SocketSettings } from "./socket.js";
export { emptyTasks, mergeTasks, reduceTasks, type TasksState } from "./tasks.js";
export type { TokenRequest, TokenSource } from "./token.js";
export type * from "./types.js";
