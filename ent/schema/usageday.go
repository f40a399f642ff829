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

// UsageDay is what a person's model calls took on one day.
type UsageDay struct{ ent.Schema }

// Annotations of the UsageDay.
func (UsageDay) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("What a person's model calls took on one day. It outlives the messages that it was spent on."),
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
			Comment("The day in UTC, YYYY-MM-DD."),
		field.Int("calls").Default(0).NonNegative().
			Comment("How many times a model was asked, titles and summaries of conversations included."),
		field.Int("input_tokens").Default(0).NonNegative().
			Comment("Tokens read."),
		field.Int("output_tokens").Default(0).NonNegative().
			Comment("Tokens written."),
		field.Int("cached_tokens").Default(0).NonNegative().
			Comment("Tokens read that came from the provider's cache."),
		field.Int64("cost_nanos").Default(0).NonNegative().
			Comment("The cost of the calls whose model has a price, in billionths of the price list's currency."),
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

// Policy of the UsageDay: its owner alone.
func (UsageDay) Policy() ent.Policy { return rule.Policy("user_id") }
