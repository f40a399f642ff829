package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// User is a person, known by the issuer and subject of that person's token.
type User struct{ ent.Schema }

// Annotations of the User.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A person, known by the issuer and subject of that person's token.")}
}

// Mixin of the User.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.User}, timed{}}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("issuer").Default("").Immutable().MaxLen(255).
			Comment("The token's issuer (\"iss\"): whose word it is; empty when tokens name none."),
		field.String("subject").Immutable().NotEmpty().MaxLen(255).
			Comment("The token's subject (\"sub\"): who this is to the issuer, and to no other."),
		field.String("name").Default("").MaxRuneLen(200).
			Comment("Display name, from the token or the person's own choice."),
		field.Bool("name_chosen").Default(false).
			Comment("The person chose the name: tokens no longer change it."),
		field.String("email").Default("").MaxRuneLen(320).
			Comment("E-mail address from the token; empty when it names none."),
		field.String("time_zone").Default("UTC").MaxLen(64).
			Comment("IANA time zone in which days and times of day are meant."),
		field.Int("last_task_number").Default(0).NonNegative().
			Comment("The highest task number given out; numbers never repeat."),
		field.Int("last_change").Default(0).NonNegative().
			Comment("Position of the newest task change. Incrementing it locks the row, so changes commit in the order of their positions."),
		field.Int64("assistant_calls_until").Default(0).NonNegative().
			Comment("Until when the calls of other assistants are spoken for, in microseconds since 1970: each call moves it on by its share of a minute."),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject", "issuer").Unique()}
}

// Edges of the User: deleting a person deletes everything the person owns.
func (User) Edges() []ent.Edge {
	cascade := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.To("tasks", Task.Type).Annotations(cascade),
		edge.To("conversations", Conversation.Type).Annotations(cascade),
		edge.To("messages", Message.Type).Annotations(cascade),
		edge.To("tool_calls", ToolCall.Type).Annotations(cascade),
		edge.To("runs", Run.Type).Annotations(cascade),
		edge.To("task_changes", TaskChange.Type).Annotations(cascade),
		edge.To("usage_days", UsageDay.Type).Annotations(cascade),
	}
}

// Policy of the User: a person reaches that person's own row alone.
func (User) Policy() ent.Policy { return rule.Policy("id") }
