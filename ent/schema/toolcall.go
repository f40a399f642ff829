package schema

import (
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ToolCall is a call of a tool by the agent.
type ToolCall struct{ ent.Schema }

// Annotations of the ToolCall.
func (ToolCall) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A call of a tool by the agent. Its result and its effect are committed together."),
	}
}

// Mixin of the ToolCall.
func (ToolCall) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.ToolCall}, owned{}, timed{}}
}

// Fields of the ToolCall.
func (ToolCall) Fields() []ent.Field {
	return []ent.Field{
		field.String("message_id").Immutable().
			Comment("Reply that made the call."),
		field.Int("seq").Immutable().NonNegative().
			Comment("Position among the calls of the reply, starting at 0."),
		field.Int("step").Immutable().NonNegative().
			Comment("Model step that requested the call, starting at 0. A step can request several calls."),
		field.String("provider_id").Immutable().MaxLen(255).
			Comment("Id of the call in the provider's protocol, unique in the reply."),
		field.String("name").Immutable().MaxLen(128).
			Comment("Name of the tool."),
		field.Text("arguments").Immutable().
			Comment("Arguments as received from the model, normally a JSON object."),
		field.Text("result").Optional().Nillable().
			Comment("Result, a JSON object; null while STARTED or AWAITING_APPROVAL."),
		field.String("status").GoType(enum.ToolCallStatus("")).Default(string(enum.ToolCallStarted)).
			Comment("State: STARTED, AWAITING_APPROVAL, SUCCEEDED or FAILED."),
		field.Int("latency_ms").Optional().Nillable().
			Comment("Duration in milliseconds; null while STARTED."),
		field.Int("text_offset").Immutable().NonNegative().
			Comment("Position in the reply's text at which the call was made, in UTF-16 code units."),
		field.Text("provider_extra").Default("").Immutable().
			Comment("Provider-specific data (JSON, such as a thought signature) that must be sent back with the " +
				"call. Never sent to another provider."),
		field.JSON("proposal", []enum.ProposedChange{}).Optional().
			Comment("Changes for which the call needed approval, as they were shown to the user; null otherwise."),
		field.JSON("choices", []enum.TaskChoice{}).Optional().
			Comment("References in the arguments that did not name a task with certainty, each with the tasks that it " +
				"may name; null without one. Nothing was done for them."),
		field.Time("expires_at").Optional().Nillable().
			Comment("Time at which the approval expires; null unless AWAITING_APPROVAL."),
		field.String("decision_message_id").Optional().Nillable().
			Comment("Reply that follows the decision about the proposal, whose run decides if the user answers by a " +
				"message; null before."),
		field.Int("revision").Default(0).NonNegative().
			Comment("Position of the last decision among the changes to all conversations of the user; 0 without one. " +
				"It tells subscribers which calls have changed since their replies finished."),
	}
}

// Edges of the ToolCall.
func (ToolCall) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("tool_calls").Field("user_id").Unique().Required().Immutable(),
		edge.From("message", Message.Type).Ref("tool_calls").Field("message_id").Unique().Required().Immutable(),
	}
}

// Indexes of the ToolCall.
func (ToolCall) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("message_id", "seq").Unique(),
		index.Fields("user_id"),
		index.Fields("user_id", "expires_at"), // pending approvals
		index.Fields("user_id", "revision"),
	}
}

// Policy of the ToolCall: only its owner has access, and only within the owner's replies.
func (ToolCall) Policy() ent.Policy {
	return rule.Policy(
		"user_id",
		rule.Conversations,
		rule.Edge{Field: "message_id", Table: "messages", Name: "message"},
		rule.Edge{Field: "decision_message_id", Table: "messages", Name: "message"},
	)
}
