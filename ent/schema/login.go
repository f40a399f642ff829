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

// Login is a built-in account: the name and the password by which its user signs in.
type Login struct{ ent.Schema }

// Annotations of the Login.
func (Login) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A built-in account. Its id is the subject of the access tokens of its user."),
	}
}

// Mixin of the Login.
func (Login) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Login}, owned{}}
}

// Fields of the Login.
func (Login) Fields() []ent.Field {
	return []ent.Field{
		field.String("login").Immutable().NotEmpty().MaxLen(256).
			Comment("Name to sign in with, in lower case and normal form NFKC; unique."),
		field.String("name").Default("").MaxRuneLen(100).
			Comment("Display name; empty means the login."),
		field.String("password_hash").Optional().Nillable().MaxLen(255).Sensitive().
			Comment("Argon2id hash of the password in PHC format; null if none is set."),
		field.String("role").GoType(enum.LoginRole("")).Immutable().MaxLen(16).
			Comment("OWNER or MEMBER."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
		field.Time("disabled_at").Optional().Nillable().
			Comment("Time at which an operator disabled the account; null if it is enabled."),
	}
}

// Edges of the Login. Deleting a login deletes its sessions, passkeys and links.
func (Login) Edges() []ent.Edge {
	cascade := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.From("user", User.Type).Ref("login").Field("user_id").Unique().Required().Immutable(),
		edge.To("sessions", SignInSession.Type).Annotations(cascade),
		edge.To("passkeys", Passkey.Type).Annotations(cascade),
		edge.To("links", SignInLink.Type).Annotations(cascade),
		edge.To("invitations", SignInLink.Type).Annotations(cascade),
	}
}

// Indexes of the Login.
func (Login) Indexes() []ent.Index { return []ent.Index{index.Fields("login").Unique()} }

// Policy of the Login: only its user has access.
func (Login) Policy() ent.Policy { return rule.Policy("user_id", rule.Account) }
