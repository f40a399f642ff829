// Package schema holds the entities, one a file, each with its privacy policy in full view.
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

// Conversation is a talk between a person and the agent.
type Conversation struct{ ent.Schema }

// Annotations of the Conversation.
func (Conversation) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A talk between a person and the agent.")}
}

// Mixin of the Conversation.
func (Conversation) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Conversation}, owned{}, timed{}}
}

// Fields of the Conversation.
func (Conversation) Fields() []ent.Field {
	return []ent.Field{
		field.String("title").Default("").
			Comment("Up to 200 characters; named from the first message until its person names it."),
		field.String("title_source").GoType(enum.TitleSource("")).Default(string(enum.TitleAuto)).
			Comment("Who named it: AUTO or PERSON."),
		field.Int("message_count").Default(0).NonNegative().
			Comment("Messages so far. Their positions are 1 to this, without gaps; incrementing it locks the row, so turns are numbered in commit order."),
		field.Text("summary").Default("").
			Comment("What was said up to summarised_to, in short, for the model; empty while all of it still fits."),
		field.Int("summarised_to").Default(0).NonNegative().
			Comment("The position of the last message that the summary covers; 0 without one."),
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
	return []ent.Index{index.Fields("user_id", "id")}
}

// Policy of the Conversation: its owner alone.
func (Conversation) Policy() ent.Policy { return rule.Policy("user_id") }
