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

// Run is the durable work of answering one message.
type Run struct{ ent.Schema }

// Annotations of the Run.
func (Run) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment(
			"The durable work of answering one message. All its times come from the database's clock, in milliseconds since 1970 UTC.",
		),
	}
}

// Mixin of the Run.
func (Run) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Run}, owned{}}
}

// Fields of the Run.
func (Run) Fields() []ent.Field {
	return []ent.Field{
		field.String("conversation_id").Immutable().
			Comment("The conversation; its runs are done one after the other."),
		field.String("message_id").Immutable().
			Comment("The reply that this run writes."),
		field.Int("position").Immutable().Positive().
			Comment("The reply's position: the order among the conversation's runs."),
		field.String("state").GoType(enum.RunState("")).Default(string(enum.RunQueued)).
			Comment("QUEUED, RUNNING, DONE, FAILED or CANCELLED."),
		field.Int("attempt").Default(0).NonNegative().
			Comment("Counts claims. It is the fencing token of every effect and the epoch of the reply's text."),
		field.Int("failures").Default(0).NonNegative().
			Comment("Attempts that were lost or failed; handing a run over does not count."),
		field.String("worker").Default("").MaxLen(64).
			Comment("The replica that holds the lease."),
		field.Int64("lease_until").Default(0).
			Comment("Until when the lease holds."),
		field.Int64("available_at").Default(0).
			Comment("Not claimed before this: the backoff after a failure."),
		field.Bool("cancel_requested").Default(false).
			Comment("Its person wants it stopped."),
		field.String("error_code").Optional().Nillable().MaxLen(64).
			Comment("Why it failed."),
		field.Int64("created_at").Default(0).
			Comment("When it was queued."),
		field.Int64("started_at").Default(0).
			Comment("When it was first claimed."),
		field.Int64("finished_at").Default(0).
			Comment("When it became terminal."),
	}
}

// Edges of the Run.
func (Run) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("runs").Field("user_id").Unique().Required().Immutable(),
		edge.From("conversation", Conversation.Type).Ref("runs").Field("conversation_id").Unique().Required().Immutable(),
		edge.From("message", Message.Type).Ref("run").Field("message_id").Unique().Required().Immutable(),
	}
}

// Indexes of the Run.
func (Run) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("state", "available_at"),
		index.Fields("conversation_id", "position").Unique(),
		index.Fields("user_id", "state"),
	}
}

// Policy of the Run: its owner alone, for one of the owner's replies.
func (Run) Policy() ent.Policy {
	return rule.Policy("user_id",
		rule.Edge{Field: "conversation_id", Table: "conversations", Name: "conversation"},
		rule.Edge{Field: "message_id", Table: "messages", Name: "message"})
}
