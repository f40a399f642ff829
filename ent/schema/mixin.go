package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
)

// identified gives an entity a time-ordered id with a type prefix.
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

// owned gives an entity its owner. A hook sets the owner to the viewer; callers cannot set it.
type owned struct{ mixin.Schema }

// Fields of owned.
func (owned) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().
			Comment("Owner of the row."),
	}
}

// Hooks of owned.
func (owned) Hooks() []ent.Hook { return []ent.Hook{rule.SetOwner} }

// timed records the times of creation and of the last change.
type timed struct{ mixin.Schema }

// Fields of timed.
func (timed) Fields() []ent.Field {
	return []ent.Field{
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("updated_at").Default(ids.Now).UpdateDefault(ids.Now).
			Comment("Time of the last change."),
	}
}
