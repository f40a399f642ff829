package schema

import (
	"errand/ent/rule"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// MessageTerm is an entry of the search index: a term that occurs in a finished message.
type MessageTerm struct{ ent.Schema }

// Annotations of the MessageTerm.
func (MessageTerm) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("An entry of the search index: a term that occurs in a message. It has no foreign keys, which " +
			"would cost more than the entry: the transaction that finishes a message writes its entries, and the " +
			"one that deletes the conversation or the account deletes them."),
	}
}

// Mixin of the MessageTerm.
func (MessageTerm) Mixin() []ent.Mixin { return []ent.Mixin{owned{}} }

// Fields of the MessageTerm.
func (MessageTerm) Fields() []ent.Field {
	return []ent.Field{
		field.Bytes("term").Immutable().
			Comment("Term in UTF-8. Bytes are compared as bytes by both engines, so that an index finds prefixes, " +
				"also below row-level security."),
		field.String("message_id").Immutable().
			Comment("Message with the term."),
	}
}

// Indexes of the MessageTerm.
func (MessageTerm) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "term", "message_id").Unique(),
		index.Fields("user_id", "message_id", "term"), // looks terms up by their beginnings for each message
	}
}

// Policy of the MessageTerm: only its owner has access.
func (MessageTerm) Policy() ent.Policy { return rule.Policy("user_id", rule.Conversations) }
