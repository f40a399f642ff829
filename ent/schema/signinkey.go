package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// SignInKey is a key that signs the access tokens of built-in accounts.
type SignInKey struct{ ent.Schema }

// Annotations of the SignInKey.
func (SignInKey) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A key that signs the access tokens of built-in accounts. Its id is the key id of the tokens."),
	}
}

// Mixin of the SignInKey.
func (SignInKey) Mixin() []ent.Mixin { return []ent.Mixin{identified{prefix: ids.SignInKey}} }

// Fields of the SignInKey.
func (SignInKey) Fields() []ent.Field {
	return []ent.Field{
		field.Bytes("seed").Immutable().MinLen(32).MaxLen(32).Sensitive().
			Comment("Seed of the Ed25519 key."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("retired_at").Optional().Nillable().
			Comment("Time from which the key signs no more tokens; null for the current key."),
	}
}

// Policy of the SignInKey: only the server has access.
func (SignInKey) Policy() ent.Policy { return rule.SystemOnly() }
