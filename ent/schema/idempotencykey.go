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

// IdempotencyKey is the record of a mutation that was sent with an idempotency key.
type IdempotencyKey struct{ ent.Schema }

// Annotations of the IdempotencyKey.
func (IdempotencyKey) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("The record of a mutation that was sent with an idempotency key. It is kept for seven days. " +
			"Messages have a key of their own, which is kept with them."),
	}
}

// Mixin of the IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.IdempotencyKey}, owned{}}
}

// Fields of the IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("operation").Immutable().NotEmpty().MaxLen(64).
			Comment("Name of the mutation."),
		field.String("idempotency_key").Immutable().NotEmpty().MaxRuneLen(255).
			Comment("Key from the client, unique per user and operation."),
		field.String("request_hash").Immutable().NotEmpty().MaxLen(64).
			Comment("SHA-256 of the input, in hexadecimal."),
		field.Strings("result_ids").Immutable().Default([]string{}).
			Comment("Ids of the created objects."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Creation time."),
	}
}

// Edges of the IdempotencyKey.
func (IdempotencyKey) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("idempotency_keys").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of the IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "operation", "idempotency_key").Unique(),
		index.Fields("user_id", "created_at"),
	}
}

// Policy of the IdempotencyKey: only its owner has access.
func (IdempotencyKey) Policy() ent.Policy { return rule.Policy("user_id", rule.IdempotencyKeys) }
