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

// Passkey is a WebAuthn credential of a built-in account.
type Passkey struct{ ent.Schema }

// Annotations of the Passkey.
func (Passkey) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A WebAuthn credential of a built-in account.")}
}

// Mixin of the Passkey.
func (Passkey) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Passkey}, owned{}}
}

// Fields of the Passkey.
func (Passkey) Fields() []ent.Field {
	return []ent.Field{
		field.String("login_id").Immutable().
			Comment("Login that the passkey signs in."),
		field.String("name").NotEmpty().MaxRuneLen(100).
			Comment("Name that the user chose."),
		field.String("credential_id").Immutable().NotEmpty().MaxLen(1400).Sensitive().
			Comment("Credential id in base64url; unique."),
		field.String("credential").NotEmpty().MaxLen(8192).Sensitive().
			Comment("Public key, flags and counter of the credential, as JSON."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("last_used_at").Optional().Nillable().
			Comment("Time of the last sign-in with the passkey; null before the first."),
	}
}

// Edges of the Passkey.
func (Passkey) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("passkeys").Field("user_id").Unique().Required().Immutable(),
		edge.From("login", Login.Type).Ref("passkeys").Field("login_id").Unique().Required().Immutable(),
	}
}

// Indexes of the Passkey.
func (Passkey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("credential_id").Unique(),
		index.Fields("user_id", "id"),
		index.Fields("login_id"),
	}
}

// Policy of the Passkey: only its user has access, to passkeys of the user's own login.
func (Passkey) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Account, rule.Edge{Field: "login_id", Table: "logins", Name: "login"})
}
