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

// ToolCall is one use of a tool by the agent.
type ToolCall struct{ ent.Schema }

// Annotations of the ToolCall.
func (ToolCall) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("One use of a tool by the agent. Its result commits together with its effect."),
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
			Comment("The reply in which it happened."),
		field.Int("seq").Immutable().NonNegative().
			Comment("Place among the reply's calls, from 0."),
		field.Int("step").Immutable().NonNegative().
			Comment("Which model step asked for it, from 0; calls of one step were asked for together."),
		field.String("provider_id").Immutable().MaxLen(255).
			Comment("The call's id in the model's own wire, unique in the reply."),
		field.String("name").Immutable().MaxLen(128).
			Comment("The tool."),
		field.Text("arguments").Immutable().
			Comment("The arguments as the model gave them, a JSON object."),
		field.Text("result").Optional().Nillable().
			Comment("What came of it, a JSON object; null until done."),
		field.String("status").GoType(enum.ToolCallStatus("")).Default(string(enum.ToolCallStarted)).
			Comment("STARTED, SUCCEEDED or FAILED."),
		field.Int("latency_ms").Optional().Nillable().
			Comment("How long it took, in milliseconds; null until done."),
		field.Int("text_offset").Immutable().NonNegative().
			Comment("Where in the reply's text it happened, in UTF-16 code units."),
		field.Text("provider_extra").Default("").Immutable().
			Comment("What the provider wants back with this call (JSON, such as a thought signature); goes to no other provider."),
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
	}
}

// Policy of the ToolCall: its owner alone, in one of the owner's replies.
func (ToolCall) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Edge{Field: "message_id", Table: "messages", Name: "message"})
}
