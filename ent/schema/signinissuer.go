package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// SignInIssuer is the issuer of the access tokens of built-in accounts.
type SignInIssuer struct{ ent.Schema }

// Annotations of the SignInIssuer.
func (SignInIssuer) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("The issuer of the access tokens of built-in accounts: at most one row, whose lock serializes the " +
			"creation of the first owner and of keys."),
	}
}

// Fields of the SignInIssuer.
func (SignInIssuer) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(16).Immutable().
			Comment("Always \"local\"."),
		field.String("issuer").Immutable().NotEmpty().MaxLen(255).
			Comment("Issuer of the tokens (claim iss), random per database."),
		field.Bytes("sealing_key").Immutable().MinLen(32).MaxLen(32).Sensitive().
			Comment("Key that encrypts what browsers keep for the server: ceremonies of passkeys, and tokens of an " +
				"identity provider."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("updated_at").Default(ids.Now).
			Comment("Time of the last lock."),
	}
}

// Policy of the SignInIssuer: only the server has access.
func (SignInIssuer) Policy() ent.Policy { return rule.SystemOnly() }
