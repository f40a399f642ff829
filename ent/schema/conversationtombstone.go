package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ConversationTombstone is the tombstone of a deleted conversation. It contains no other data of the conversation.
type ConversationTombstone struct{ ent.Schema }

// Annotations of the ConversationTombstone.
func (ConversationTombstone) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("Tombstone of a deleted conversation, for subscribers that were disconnected during the " +
			"deletion. It is purged after 30 days."),
	}
}

// Mixin of the ConversationTombstone.
func (ConversationTombstone) Mixin() []ent.Mixin { return []ent.Mixin{owned{}} }

// Fields of the ConversationTombstone.
func (ConversationTombstone) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(40).Immutable().
			Comment("ID of the deleted conversation."),
		field.Int("seq").Immutable().Positive().
			Comment("Position of the deletion among the changes to all conversations of the user."),
		field.Time("deleted_at").Default(ids.Now).Immutable().
			Comment("Time of the deletion."),
	}
}

// Edges of the ConversationTombstone.
func (ConversationTombstone) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("conversation_tombstones").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of the ConversationTombstone.
func (ConversationTombstone) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "seq").Unique()}
}

// Policy of the ConversationTombstone: only its owner has access.
func (ConversationTombstone) Policy() ent.Policy { return rule.Policy("user_id", rule.Conversations) }
