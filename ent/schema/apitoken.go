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

// APIToken is a token that a user created for a program that acts as the user.
type APIToken struct{ ent.Schema }

// Annotations of the APIToken.
func (APIToken) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A token that a user created for a program that acts as the user, within scopes. Only a hash of " +
			"its secret is stored. It is kept for 30 days after it was revoked or has expired."),
	}
}

// Mixin of the APIToken.
func (APIToken) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.APIToken}, owned{}}
}

// Fields of the APIToken.
func (APIToken) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").Immutable().NotEmpty().MaxRuneLen(100).
			Comment("Name that the user chose."),
		field.String("token_hash").Immutable().NotEmpty().MaxLen(64).Sensitive().
			Comment("SHA-256 of the secret, in hexadecimal."),
		field.String("hint").Immutable().NotEmpty().MaxLen(16).
			Comment("Beginning of the secret, by which its owner recognises it."),
		field.String("scopes").Immutable().NotEmpty().MaxLen(64).
			Comment("Scopes of the token, separated by spaces."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("expires_at").Optional().Nillable().Immutable().
			Comment("Time from which the token is rejected; null if it does not expire."),
		field.Time("last_used_at").Optional().Nillable().
			Comment("Time of the last use, to the minute; null before the first."),
		field.Time("revoked_at").Optional().Nillable().
			Comment("Time at which the token was revoked; null if it was not."),
	}
}

// Edges of the APIToken.
func (APIToken) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("api_tokens").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of the APIToken.
func (APIToken) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("token_hash").Unique(),
		index.Fields("user_id", "id"),
		index.Fields("revoked_at"),
	}
}

// Policy of the APIToken: only its owner has access.
func (APIToken) Policy() ent.Policy { return rule.Policy("user_id", rule.Account) }
