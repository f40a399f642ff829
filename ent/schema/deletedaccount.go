package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// DeletedAccount remembers that somebody's account was deleted, and nothing else of it.
type DeletedAccount struct{ ent.Schema }

// Annotations of the DeletedAccount.
func (DeletedAccount) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("That an account was deleted, so that a token issued before cannot bring it back."),
	}
}

// Fields of the DeletedAccount.
func (DeletedAccount) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(64).Immutable().
			Comment("SHA-256 of the token's issuer and subject, in hexadecimal."),
		field.Time("deleted_at").Default(ids.Now).
			Comment("When. Only tokens issued later may begin a new account."),
	}
}

// Policy of the DeletedAccount: the server's own affair.
func (DeletedAccount) Policy() ent.Policy { return rule.SystemOnly() }
