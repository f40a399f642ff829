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

// UsageDay is a user's model usage on one day.
type UsageDay struct{ ent.Schema }

// Annotations of the UsageDay.
func (UsageDay) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("A user's model usage on one day. It is kept when the messages that caused it are deleted."),
	}
}

// Mixin of the UsageDay.
func (UsageDay) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.UsageDay}, owned{}, timed{}}
}

// Fields of the UsageDay.
func (UsageDay) Fields() []ent.Field {
	return []ent.Field{
		field.String("day").Immutable().MaxLen(10).
			Comment("Day in UTC, YYYY-MM-DD."),
		field.Int("calls").Default(0).NonNegative().
			Comment("Number of model calls, including those for titles and summaries."),
		field.Int("input_tokens").Default(0).NonNegative().
			Comment("Input tokens."),
		field.Int("output_tokens").Default(0).NonNegative().
			Comment("Output tokens."),
		field.Int("cached_tokens").Default(0).NonNegative().
			Comment("Input tokens that the provider served from its cache; included in input_tokens."),
		field.Int64("cost_nanos").Default(0).NonNegative().
			Comment("Cost of the calls whose model has a price, in billionths of the price list's currency."),
	}
}

// Edges of the UsageDay.
func (UsageDay) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("usage_days").Field("user_id").Unique().Required().Immutable(),
	}
}

// Indexes of the UsageDay.
func (UsageDay) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "day").Unique()}
}

// Policy of the UsageDay: only its owner has access.
func (UsageDay) Policy() ent.Policy { return rule.Policy("user_id", rule.Usage) }
