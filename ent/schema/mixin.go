package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
)

// identified gives an entity its type-prefixed, time-ordered id.
type identified struct {
	mixin.Schema
	prefix string
}

// Fields of identified.
func (m identified) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").DefaultFunc(ids.New(m.prefix)).MaxLen(40).Immutable().
			Comment("Opaque id: a type prefix and a time-ordered part."),
	}
}

// owned gives an entity its owner: set by hook from the viewer, never by a caller.
type owned struct{ mixin.Schema }

// Fields of owned.
func (owned) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().
			Comment("The person this row belongs to."),
	}
}

// Hooks of owned.
func (owned) Hooks() []ent.Hook { return []ent.Hook{rule.Owner} }

// timed records when a row came to be and when it last changed.
type timed struct{ mixin.Schema }

// Fields of timed.
func (timed) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("When the row came to be."),
		field.Time("updated_at").Default(ids.Now).UpdateDefault(ids.Now).
			Comment("When the row last changed."),
	}
}
