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

// Message is a message of the user or a reply of the agent. A turn consists of one of each.
type Message struct{ ent.Schema }

// Annotations of the Message.
func (Message) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A message of the user or a reply of the agent. A turn " +
		"consists of one of each.")}
}

// Mixin of the Message.
func (Message) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Message}, owned{}, timed{}}
}

// Fields of the Message.
func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.String("conversation_id").Immutable().
			Comment("Conversation of the message."),
		field.Int("position").Immutable().Positive().
			Comment("Position in the conversation, starting at 1, without gaps."),
		field.String("role").GoType(enum.Role("")).Immutable().
			Comment("Author: USER or ASSISTANT."),
		field.Text("content").Default("").
			Comment("Text. While STREAMING, a checkpoint of the text, which only grows within one attempt."),
		field.String("status").GoType(enum.MessageStatus("")).Default(string(enum.MessageCompleted)).
			Comment("State: PENDING, STREAMING, COMPLETED, FAILED or CANCELLED."),
		field.Int("attempt").Default(0).NonNegative().
			Comment("Attempt of the run that wrote the content; the epoch of the stream."),
		field.String("error_code").Optional().Nillable().MaxLen(64).
			Comment("Error code of the failure; null unless FAILED."),
		field.String("error_reason").Optional().Nillable().MaxLen(64).
			Comment("Exact reason of the failure, where the code has several; null if unknown."),
		field.Bool("truncated").Default(false).
			Comment("Whether the reply ended at a limit of its length instead of at its end."),
		field.Time("retry_at").Optional().Nillable().
			Comment("Earliest time at which a retry may succeed, if a rate or token limit caused the failure; " +
				"otherwise null."),
		field.Int("input_tokens").Default(0).NonNegative().
			Comment("Input tokens of the reply, over all steps."),
		field.Int("output_tokens").Default(0).NonNegative().
			Comment("Output tokens of the reply, over all steps."),
		field.Int("cached_tokens").Default(0).NonNegative().
			Comment("Input tokens that the provider served from its cache; included in input_tokens."),
		field.Int64("cost_nanos").Optional().Nillable().
			Comment("Cost of the tokens, in billionths of the price list's currency; null if no price is configured."),
		field.Int("reserved_tokens").Default(0).NonNegative().
			Comment("Tokens reserved, from the user's daily limit, for the current model call. Counted while the " +
				"reply is unfinished."),
		field.String("model").Default("").MaxLen(512).
			Comment("Model that wrote the reply, as provider/name; empty before the first model call."),
		field.String("prompt_version").Default("").MaxLen(32).
			Comment("Version of the agent's system prompt; empty before the first model call."),
		field.Text("unverified_reason").Optional().Nillable().
			Comment("Not used: versions up to 0.1.0 stored a claim of the reply that no tool result confirmed. " +
				"The receipt of a reply replaces it."),
		field.Int("term_count").Optional().Nillable().NonNegative().
			Comment("Number of the message's entries in the search index, which has finished messages; null if an " +
				"older release wrote the message and it is not indexed yet."),
		field.String("idempotency_key").Optional().Nillable().Immutable().MaxRuneLen(255).
			Comment("Idempotency key of the turn, chosen by the client. Sending with the same key again returns " +
				"the same turn."),
		field.Time("finished_at").Optional().Nillable().
			Comment("Time at which the status became terminal; null before."),
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
		index.Fields("user_id", "created_at"), // counts the turns of the last minute
		index.Fields("user_id", "status"),     // counts unfinished turns
		index.Fields("user_id", "id"),         // lists the messages that a search finds, newest first
		index.Fields("user_id", "id").StorageKey("message_unindexed").
			Annotations(entsql.IndexWhere("term_count IS NULL AND finished_at IS NOT NULL")),
	}
}

// Policy of the Message: only its owner has access, and only within the owner's conversations.
func (Message) Policy() ent.Policy {
	return rule.Policy(
		"user_id",
		rule.Conversations,
		rule.Edge{Field: "conversation_id", Table: "conversations", Name: "conversation"},
	)
}
