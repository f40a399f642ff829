// Package schema defines the entities, one per file, each with its privacy policy.
//
// Comments of fields become doc comments of the generated Go fields. They are not stored in the database, so that
// changing one needs no migration.
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

// Conversation is a conversation between a user and the agent.
type Conversation struct{ ent.Schema }

// Annotations of the Conversation.
func (Conversation) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A conversation between a user and the agent.")}
}

// Mixin of the Conversation.
func (Conversation) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Conversation}, owned{}, timed{}}
}

// Fields of the Conversation.
func (Conversation) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").Default("").
			Comment("Title, at most 200 characters. Taken from the first message or from a model until the user " +
				"sets one."),
		field.String("title_source").GoType(enum.TitleSource("")).Default(string(enum.TitleAuto)).
			Comment("Who set the title: AUTO or PERSON."),
		field.Int("message_count").Default(0).NonNegative().
			Comment("Number of messages; their positions are 1 to this number, without gaps. Incrementing it " +
				"locks the row, so that positions follow the order of commits."),
		field.Text("summary").Default("").
			Comment("Summary, for the model, of the messages up to summarised_to; empty while the whole " +
				"conversation fits the prompt."),
		field.Int("summarised_to").Default(0).NonNegative().
			Comment("Position of the last message that the summary covers; 0 without a summary."),
		field.Time("archived_at").Optional().Nillable().
			Comment("Time at which the user archived the conversation; null unless archived."),
		field.Int("seq").Default(0).NonNegative().
			Comment("Position of the newest change among the changes to all conversations of the user: creation, " +
				"new message, finished reply, title, archiving. 0 if it has not changed since releases count them."),
		field.Int("revision").Default(0).NonNegative().
			Comment("Highest revision of the conversation's tool calls; 0 without decisions."),
	}
}

// Edges of the Conversation.
func (Conversation) Edges() []ent.Edge {
	cascade := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.From("user", User.Type).Ref("conversations").Field("user_id").Unique().Required().Immutable(),
		edge.To("messages", Message.Type).Annotations(cascade),
		edge.To("runs", Run.Type).Annotations(cascade),
	}
}

// Indexes of the Conversation.
func (Conversation) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "id"), index.Fields("user_id", "seq")}
}

// Policy of the Conversation: only its owner has access.
func (Conversation) Policy() ent.Policy { return rule.Policy("user_id", rule.Conversations) }
