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

// SignInSession is a sign-in with a built-in account in one browser.
type SignInSession struct{ ent.Schema }

// Annotations of the SignInSession.
func (SignInSession) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A sign-in with a built-in account in one browser. It is kept for a day after its end."),
	}
}

// Mixin of the SignInSession.
func (SignInSession) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.SignInSession}, owned{}}
}

// Fields of the SignInSession.
func (SignInSession) Fields() []ent.Field {
	return []ent.Field{
		field.String("login_id").Immutable().
			Comment("Login that was signed in."),
		field.String("refresh_hash").NotEmpty().MaxLen(64).Sensitive().
			Comment("SHA-256 of the refresh secret, in hexadecimal."),
		field.String("previous_hash").Default("").MaxLen(64).Sensitive().
			Comment("SHA-256 of the refresh secret before the current one; empty before the first refresh."),
		field.Bytes("sealed_secret").Optional().MaxLen(64).Sensitive().
			Comment("Refresh secret, encrypted with the one before it, which is accepted for a short time."),
		field.Time("rotated_at").Default(ids.Now).
			Comment("Time of the last refresh."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Time of the sign-in."),
		field.Time("last_used_at").Default(ids.Now).
			Comment("Time of the last refresh, or of the sign-in."),
		field.Time("expires_at").Immutable().
			Comment("Time at which the session ends however much it is used."),
		field.String("user_agent").Default("").Immutable().MaxRuneLen(256).
			Comment("User agent of the browser."),
		field.Time("revoked_at").Optional().Nillable().
			Comment("Time at which the session was ended; null if it was not."),
	}
}

// Edges of the SignInSession.
func (SignInSession) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sign_in_sessions").Field("user_id").Unique().Required().Immutable(),
		edge.From("login", Login.Type).Ref("sessions").Field("login_id").Unique().Required().Immutable(),
	}
}

// Indexes of the SignInSession.
func (SignInSession) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "id"),
		index.Fields("login_id"),
		index.Fields("revoked_at"),
	}
}

// Policy of the SignInSession: only its user has access, to sessions of the user's own login.
func (SignInSession) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Account, rule.Edge{Field: "login_id", Table: "logins", Name: "login"})
}
