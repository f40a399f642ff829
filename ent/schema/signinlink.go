package schema

import (
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SignInLink is a link that creates a built-in account or sets its password, once.
type SignInLink struct{ ent.Schema }

// Annotations of the SignInLink.
func (SignInLink) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A link that creates a built-in account or sets its password, once. Only a hash of its secret is " +
			"stored. It is kept for a day after it was used or has expired."),
	}
}

// Mixin of the SignInLink.
func (SignInLink) Mixin() []ent.Mixin { return []ent.Mixin{identified{prefix: ids.SignInLink}} }

// Fields of the SignInLink.
func (SignInLink) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").GoType(enum.LinkKind("")).Immutable().MaxLen(16).
			Comment("SETUP, INVITE or RESET."),
		field.String("secret_hash").Immutable().NotEmpty().MaxLen(64).Sensitive().
			Comment("SHA-256 of the secret, in hexadecimal."),
		field.String("login_id").Optional().Nillable().Immutable().
			Comment("Login whose password is set; null if the link creates one."),
		field.String("role").GoType(enum.LoginRole("")).Immutable().MaxLen(16).
			Comment("Role of the account that the link creates."),
		field.String("created_by").Optional().Nillable().Immutable().
			Comment("Login of the owner who invited; null for operators and the server."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("expires_at").Optional().Nillable().Immutable().
			Comment("Time from which the link is rejected; null if it does not expire."),
		field.Time("used_at").Optional().Nillable().
			Comment("Time of the use; null before it."),
	}
}

// Edges of the SignInLink.
func (SignInLink) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("login", Login.Type).Ref("links").Field("login_id").Unique().Immutable(),
		edge.From("inviter", Login.Type).Ref("invitations").Field("created_by").Unique().Immutable(),
	}
}

// Indexes of the SignInLink.
func (SignInLink) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("secret_hash").Unique(),
		index.Fields("login_id"),
		index.Fields("created_by"),
	}
}

// Policy of the SignInLink: only the server has access.
func (SignInLink) Policy() ent.Policy { return rule.SystemOnly() }
