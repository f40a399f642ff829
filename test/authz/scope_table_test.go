package authz

import (
	"errand/internal/ids"
	"errand/internal/viewer"
)

// needs are the scopes that an operation needs, all of them.
type needs []viewer.Scope

// rootScopes declares what every root field needs. A new field without an entry fails
// TestScopes_EverySurface_IsDeclared.
var rootScopes = map[string]needs{
	"Query.viewer":         {viewer.Account},
	"Query.apiTokens":      {viewer.Account},
	"Query.exportViewer":   {viewer.Account, viewer.TasksRead, viewer.Chat},
	"Query.node":           {}, // depends on the type of the ID: nodeScopes
	"Query.nodes":          {}, // the same
	"Query.tasks":          {viewer.TasksRead},
	"Query.task":           {viewer.TasksRead},
	"Query.taskCounts":     {viewer.TasksRead},
	"Query.labels":         {viewer.TasksRead},
	"Query.findTask":       {viewer.TasksRead},
	"Query.conversations":  {viewer.Chat},
	"Query.conversation":   {viewer.Chat},
	"Query.searchMessages": {viewer.Chat},
	"Query.parseTask":      {viewer.TasksRead},
	"Query.serverInfo":     {}, // any; without a token only auth

	"Mutation.updateViewer":       {viewer.Account},
	"Mutation.deleteViewer":       {viewer.Account},
	"Mutation.createApiToken":     {viewer.Account},
	"Mutation.revokeApiToken":     {viewer.Account},
	"Mutation.createTask":         {viewer.TasksWrite},
	"Mutation.updateTask":         {viewer.TasksWrite},
	"Mutation.completeTask":       {viewer.TasksWrite},
	"Mutation.reopenTask":         {viewer.TasksWrite},
	"Mutation.deleteTask":         {viewer.TasksWrite},
	"Mutation.restoreTask":        {viewer.TasksWrite},
	"Mutation.undoChange":         {viewer.TasksWrite},
	"Mutation.undoTurn":           {viewer.TasksWrite},
	"Mutation.applyTasks":         {viewer.TasksWrite},
	"Mutation.createConversation": {viewer.Chat},
	"Mutation.updateConversation": {viewer.Chat},
	"Mutation.deleteConversation": {viewer.Chat},
	"Mutation.sendMessage":        {viewer.Chat},
	"Mutation.cancelReply":        {viewer.Chat},
	"Mutation.retryReply":         {viewer.Chat},
	"Mutation.approveToolCalls":   {viewer.Chat, viewer.TasksWrite},
	"Mutation.rejectToolCalls":    {viewer.Chat},

	"Subscription.taskStream":         {viewer.TasksRead},
	"Subscription.messageStream":      {viewer.Chat},
	"Subscription.conversationStream": {viewer.Chat},
}

// nodeScopes declares what node and nodes need, by the prefix of the ID.
var nodeScopes = map[string]needs{
	ids.User:         {viewer.Account},
	ids.APIToken:     {viewer.Account},
	ids.Task:         {viewer.TasksRead},
	ids.Change:       {viewer.TasksRead},
	ids.Conversation: {viewer.Chat},
	ids.Message:      {viewer.Chat},
	ids.ToolCall:     {viewer.Chat},
}

// The scopes of which a token needs one to see a type.
var (
	seesTasks   = []viewer.Scope{viewer.TasksRead, viewer.TasksWrite}
	seesHistory = []viewer.Scope{viewer.TasksRead}
	seesChat    = []viewer.Scope{viewer.Chat}
	seesAccount = []viewer.Scope{viewer.Account}
)

// typeScopes declares for every object type the scopes of which a token needs one to see a value, on any path; an empty
// list means that the type holds no data of its own. A new type without an entry fails
// TestScopes_EverySurface_IsDeclared.
var typeScopes = map[string][]viewer.Scope{
	"Query": {}, "Mutation": {}, "Subscription": {}, "PageInfo": {}, "DeletePayload": {},
	"ServerInfo": {}, "AuthInfo": {}, "AuthMethod": {}, "ModelInfo": {}, "ServerLimits": {},

	"User": seesAccount, "PeriodUsage": seesAccount, "ViewerPayload": seesAccount,
	"ToolApproval": seesAccount,
	"ApiToken":     seesAccount, "ApiTokenConnection": seesAccount, "ApiTokenEdge": seesAccount,
	"CreateApiTokenPayload": seesAccount, "RevokeApiTokenPayload": seesAccount,

	"Task": seesTasks, "TaskPayload": seesTasks, "TaskConnection": seesTasks, "TaskEdge": seesTasks,
	"ApplyTasksPayload": {}, "TaskOperationResult": {}, "TaskOperationError": {},
	"TaskMatch": seesTasks, "TaskCandidate": seesTasks,
	"TaskChange": seesTasks, "TaskFieldChange": seesTasks, "UndoPayload": seesTasks, "SkippedChange": seesTasks,
	"TaskChangeConnection": seesHistory, "TaskChangeEdge": seesHistory, "TaskEvent": seesHistory,
	"TaskCounts": seesHistory, "LabelCount": seesHistory,
	"ParsedTask": seesHistory, "ParsedTaskSpan": seesHistory,

	"Conversation": seesChat, "ConversationConnection": seesChat, "ConversationEdge": seesChat,
	"ConversationPayload": seesChat, "SendMessagePayload": seesChat, "CancelReplyPayload": seesChat,
	"Message": seesChat, "MessageConnection": seesChat, "MessageEdge": seesChat, "MessageError": seesChat,
	"MessageMatchConnection": seesChat, "MessageMatchEdge": seesChat, "MessageMatch": seesChat,
	"Usage": seesChat, "ToolCall": seesChat,
	"ApprovalPayload": seesChat, "ProposedChange": seesHistory,
	"TaskChoice": seesHistory, "TaskChoiceCandidate": seesHistory,
	"MessageAdded": seesChat, "MessageDelta": seesChat, "ToolCallChanged": seesChat, "MessageFinished": seesChat,
	"ConversationChanged": seesChat, "ConversationDeleted": seesChat, "ConversationsReset": seesChat,
}

// toolScopes declares what every MCP tool needs.
var toolScopes = map[string]needs{
	"list_tasks":     {viewer.TasksRead},
	"add_task":       {viewer.TasksWrite},
	"update_task":    {viewer.TasksWrite},
	"complete_task":  {viewer.TasksWrite},
	"reopen_task":    {viewer.TasksWrite},
	"delete_task":    {viewer.TasksWrite},
	"restore_task":   {viewer.TasksWrite},
	"get_task":       {viewer.TasksRead},
	"recent_changes": {viewer.TasksRead},
	"undo":           {viewer.TasksWrite},
	"set_time_zone":  {viewer.Account},
}

// templateScopes declares what every MCP resource template and prompt needs.
var templateScopes = map[string]needs{
	"errand://tasks/open{?after,label}":              {viewer.TasksRead},
	"errand://tasks/{task}":                          {viewer.TasksRead},
	"errand://conversations/{conversation}{?before}": {viewer.Chat},
	"daily_review":                                   {viewer.TasksRead},
}
