package page

import "errand/ent"

// TaskConnection and those below are the connections of the schema, by the names they have there.
type (
	TaskConnection         = Connection[*ent.Task]
	TaskEdge               = Edge[*ent.Task]
	TaskChangeConnection   = Connection[*ent.TaskChange]
	TaskChangeEdge         = Edge[*ent.TaskChange]
	ConversationConnection = Connection[*ent.Conversation]
	ConversationEdge       = Edge[*ent.Conversation]
	MessageConnection      = Connection[*ent.Message]
	MessageEdge            = Edge[*ent.Message]
)
