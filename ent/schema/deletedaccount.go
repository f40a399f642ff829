package schema

import (
	"errand/ent/rule"
	"errand/internal/ids"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// DeletedAccount is the tombstone of a deleted account. It contains no other data of the account.
type DeletedAccount struct{ ent.Schema }

// Annotations of the DeletedAccount.
func (DeletedAccount) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("Tombstone of a deleted account. It prevents tokens issued before the deletion from " +
			"creating the account again."),
	}
}

// Fields of the DeletedAccount.
func (DeletedAccount) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(64).Immutable().
			Comment("SHA-256 hash of the token's issuer and subject, in hexadecimal."),
		field.Time("deleted_at").Default(ids.Now).
			Comment("Time of the deletion. Only tokens issued later can create a new account."),
	}
}

// Policy of the DeletedAccount: only the server has access.
func (DeletedAccount) Policy() ent.Policy { return rule.SystemOnly() }
