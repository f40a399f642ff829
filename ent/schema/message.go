package schema

import (
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Message is one side's part of a turn.
type Message struct{ ent.Schema }

// Annotations of the Message.
func (Message) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("One side's part of a turn: what a person said, or the agent's reply.")}
}

// Mixin of the Message.
func (Message) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Message}, owned{}, timed{}}
}

// Fields of the Message.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.String("conversation_id").Immutable().
			Comment("The conversation it is part of."),
		field.Int("position").Immutable().Positive().
			Comment("Place in the conversation, from 1, without gaps."),
		field.String("role").GoType(enum.Role("")).Immutable().
			Comment("USER or ASSISTANT."),
		field.Text("content").Default("").
			Comment("The text. While STREAMING, a checkpoint of it: append-only within one attempt."),
		field.String("status").GoType(enum.MessageStatus("")).Default(string(enum.MessageCompleted)).
			Comment("PENDING, STREAMING, COMPLETED, FAILED or CANCELLED."),
		field.Int("attempt").Default(0).NonNegative().
			Comment("Which attempt of its run wrote the content: the stream's epoch."),
		field.String("error_code").Optional().Nillable().MaxLen(64).
			Comment("Why it failed, as an error code; null unless FAILED."),
		field.Time("retry_at").Optional().Nillable().
			Comment("When the same may succeed, if it failed for a limit that opens again."),
		field.Int("input_tokens").Default(0).NonNegative().
			Comment("Tokens the model read for this reply, over all steps."),
		field.Int("output_tokens").Default(0).NonNegative().
			Comment("Tokens the model wrote for this reply, over all steps."),
		field.Int("cached_tokens").Default(0).NonNegative().
			Comment("Those of the input tokens that the provider served from its cache."),
		field.Int64("cost_nanos").Optional().Nillable().
			Comment("What those tokens cost, in billionths of the price list's currency; null where no price is configured."),
		field.Int("reserved_tokens").Default(0).NonNegative().
			Comment("What the model call under way may take of the person's daily tokens. It counts while the reply is unfinished."),
		field.String("model").Default("").MaxLen(512).
			Comment("Which model wrote the reply, as provider/name; empty until one was asked."),
		field.String("prompt_version").Default("").MaxLen(32).
			Comment("Which version of the agent's instructions the model was given; empty until one was asked."),
		field.Text("unverified_reason").Optional().Nillable().
			Comment("What the reply says was done without a tool result that shows it; null where nothing is in doubt."),
		field.String("idempotency_key").Optional().Nillable().Immutable().MaxRuneLen(255).
			Comment("The sender's key for this turn: sending it again gives the same turn."),
		field.Time("finished_at").Optional().Nillable().
			Comment("When it became terminal."),
	}
}

// Edges of the Message.
func (Message) Edges() []ent.Edge {
	cascade := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.From("user", User.Type).Ref("messages").Field("user_id").Unique().Required().Immutable(),
		edge.From("conversation", Conversation.Type).Ref("messages").Field("conversation_id").Unique().Required().Immutable(),
		edge.To("tool_calls", ToolCall.Type).Annotations(cascade),
		edge.To("run", Run.Type).Unique().Annotations(cascade),
	}
}

// Indexes of the Message.
func (Message) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("conversation_id", "position").Unique(),
		index.Fields("user_id", "idempotency_key").Unique(),
		index.Fields("user_id", "created_at"), // how many a minute
		index.Fields("user_id", "status"),     // how many are under way
	}
}

// Policy of the Message: its owner alone, in one of the owner's conversations.
func (Message) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Edge{Field: "conversation_id", Table: "conversations", Name: "conversation"})
}
