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

// Task is one thing to do.
type Task struct{ ent.Schema }

// Annotations of the Task.
func (Task) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("One thing to do.")}
}

// Mixin of the Task.
func (Task) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Task}, owned{}, timed{}}
}

// Fields of the Task.
func (Task) Fields() []ent.Field {
	return []ent.Field{
		field.Int("number").Immutable().Positive().
			Comment("Small, stable, per person: what people and models call the task. Never given out twice."),
		field.String("title").NotEmpty().
			Comment("What is to be done, 1 to 200 characters."),
		field.Text("description").Default("").
			Comment("More about it, up to 10,000 characters."),
		field.Time("completed_at").Optional().Nillable().
			Comment("When it was marked as done; null while it is pending."),
		field.Int("priority").GoType(enum.Priority(0)).Default(int(enum.PriorityNone)).
			Comment("How much it matters, 0 (none) to 4 (urgent)."),
		field.String("due_on").Optional().Nillable().MaxLen(10).
			Comment("The day it is due, YYYY-MM-DD, when no time of day matters. Never together with due_at."),
		field.Time("due_at").Optional().Nillable().
			Comment("The instant it is due. Never together with due_on."),
		field.Int64("due_sort").Default(enum.NeverDue).
			Comment("Sort key of the due date, in milliseconds since 1970 UTC; a day counts by its end, no date sorts last."),
		field.Strings("labels").Default([]string{}).
			Comment("Up to 20 labels of 1 to 50 characters."),
		field.Int("version").Default(1).Positive().
			Comment("Grows by one with each change; expectedVersion is compared with it."),
		field.Time("deleted_at").Optional().Nillable().
			Comment("When it went to the trash; null outside of it."),
	}
}

// Edges of the Task.
func (Task) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("tasks").Field("user_id").Unique().Required().Immutable(),
		edge.To("changes", TaskChange.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Task, one for each order in which a person's list is read, and
// a small one for what is still to do, which long histories of done tasks would hide.
func (Task) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "number").Unique(),
		index.Fields("user_id", "updated_at", "number"),
		index.Fields("user_id", "due_sort", "number"),
		index.Fields("user_id", "priority", "number"),
		index.Fields("user_id", "title", "number"),
		index.Fields("user_id", "number").StorageKey("task_pending").
			Annotations(entsql.IndexWhere("completed_at IS NULL AND deleted_at IS NULL")),
	}
}

// Policy of the Task: its owner alone.
func (Task) Policy() ent.Policy { return rule.Policy("user_id") }
