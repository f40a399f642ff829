package schema

import (
	"errand/ent/rule"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// UsedCeremony is the mark of a passkey ceremony that has succeeded.
type UsedCeremony struct{ ent.Schema }

// Annotations of the UsedCeremony.
func (UsedCeremony) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("The mark of a passkey ceremony that has succeeded and cannot be used again. It is kept until the " +
			"ceremony expires."),
	}
}

// Fields of the UsedCeremony.
func (UsedCeremony) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(64).Immutable().
			Comment("SHA-256 of the challenge, in hexadecimal."),
		field.Time("expires_at").Immutable().
			Comment("Time at which the ceremony expires."),
	}
}

// Indexes of the UsedCeremony.
func (UsedCeremony) Indexes() []ent.Index { return []ent.Index{index.Fields("expires_at")} }

// Policy of the UsedCeremony: only the server has access.
func (UsedCeremony) Policy() ent.Policy { return rule.SystemOnly() }
