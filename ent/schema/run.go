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

// Run is the durable job that writes one reply.
type Run struct{ ent.Schema }

// Annotations of the Run.
func (Run) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment(
			"The durable job that writes one reply. All times are in milliseconds since 1970 UTC, by the database's clock.",
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
			Comment("Conversation of the reply. Its runs are executed one after the other."),
		field.String("message_id").Immutable().
			Comment("Reply that the run writes."),
		field.Int("position").Immutable().Positive().
			Comment("Position of the reply; runs of a conversation are executed in this order."),
		field.String("scopes").Default("").Immutable().MaxLen(64).
			Comment("Scopes of the token that sent the message, which limit the tools; empty means no limit."),
		field.String("state").GoType(enum.RunState("")).Default(string(enum.RunQueued)).
			Comment("State: QUEUED, RUNNING, DONE, FAILED or CANCELLED."),
		field.Int("attempt").Default(0).NonNegative().
			Comment("Number of claims. It is the fencing token of every effect and the epoch of the reply's text."),
		field.Int("failures").Default(0).NonNegative().
			Comment("Number of failed or lost attempts. A handover to another replica does not count."),
		field.String("worker").Default("").MaxLen(64).
			Comment("Name of the replica that holds the lease."),
		field.Int64("lease_until").Default(0).
			Comment("Expiry of the lease."),
		field.Int64("available_at").Default(0).
			Comment("Earliest time of the next claim; later than now during the backoff after a failure."),
		field.Bool("cancel_requested").Default(false).
			Comment("Whether the user cancelled the reply."),
		field.String("error_code").Optional().Nillable().MaxLen(64).
			Comment("Error code of the failure; null unless FAILED."),
		field.Int64("created_at").Default(0).
			Comment("Creation time."),
		field.Int64("started_at").Default(0).
			Comment("Time of the first claim; 0 before."),
		field.Int64("finished_at").Default(0).
			Comment("Time at which the state became terminal; 0 before."),
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

// Policy of the Run: only its owner has access, and only for the owner's replies.
func (Run) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Conversations,
		rule.Edge{Field: "conversation_id", Table: "conversations", Name: "conversation"},
		rule.Edge{Field: "message_id", Table: "messages", Name: "message"})
}
