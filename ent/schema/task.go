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

// Task is a task on a user's list.
type Task struct{ ent.Schema }

// Annotations of the Task.
func (Task) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A task on a user's list.")}
}

// Mixin of the Task.
func (Task) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Task}, owned{}, timed{}}
}

// Fields of the Task.
func (Task) Fields() []ent.Field {
	return []ent.Field{
		field.Int("number").Immutable().Positive().
			Comment("Small number by which the user and models refer to the task. Unique per user, never changed " +
				"and never reused."),
		field.String("title").NotEmpty().
			Comment("Title, 1 to 200 characters."),
		field.Text("description").Default("").
			Comment("Description, at most 10,000 characters."),
		field.Time("completed_at").Optional().Nillable().
			Comment("Completion time; null while the task is pending."),
		field.Int("priority").GoType(enum.Priority(0)).Default(int(enum.PriorityNone)).
			Comment("Priority, 0 (none) to 4 (urgent)."),
		field.String("due_on").Optional().Nillable().MaxLen(10).
			Comment("Due date without a time of day, YYYY-MM-DD. Never set together with due_at."),
		field.Time("due_at").Optional().Nillable().
			Comment("Due date and time. Never set together with due_on."),
		field.Int64("due_sort").Default(enum.NeverDue).
			Comment("Sort key of the due date, in milliseconds since 1970 UTC. A date without a time counts as " +
				"the end of the day; tasks without a due date sort last."),
		field.Strings("labels").Default([]string{}).
			Comment("At most 20 labels of 1 to 50 characters."),
		field.Int("version").Default(1).Positive().
			Comment("Version, incremented by one with each change; compared with expectedVersion."),
		field.Time("deleted_at").Optional().Nillable().
			Comment("Time at which the task was moved to the trash; null if it is not in the trash."),
		field.Int("indexed_version").Default(0).NonNegative().
			Comment("Version that the search index holds. If it differs from version, an older release wrote the " +
				"task, and searches read its text."),
		field.Int("term_count").Default(0).NonNegative().
			Comment("Number of the task's entries in the search index."),
	}
}

// Edges of the Task.
func (Task) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("tasks").Field("user_id").Unique().Required().Immutable(),
		edge.To("changes", TaskChange.Type).Annotations(entsql.OnDelete(entsql.Cascade)),
	}
}

// Indexes of the Task: one per sort order of a user's list, and partial ones for pending tasks, which are few among
// many completed tasks.
func (Task) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "number").Unique(),
		index.Fields("user_id", "updated_at", "number"),
		index.Fields("user_id", "due_sort", "number"),
		index.Fields("user_id", "priority", "number"),
		index.Fields("user_id", "title", "number"),
		index.Fields("user_id", "number").StorageKey("task_pending").
			Annotations(entsql.IndexWhere("completed_at IS NULL AND deleted_at IS NULL")),
		index.Fields("user_id", "due_sort", "number").StorageKey("task_pending_due").
			Annotations(entsql.IndexWhere("completed_at IS NULL AND deleted_at IS NULL")),
		index.Fields("user_id", "completed_at").StorageKey("task_completed").
			Annotations(entsql.IndexWhere("completed_at IS NOT NULL")),
		index.Fields("user_id", "deleted_at").StorageKey("task_trash").
			Annotations(entsql.IndexWhere("deleted_at IS NOT NULL")),
		index.Fields("user_id", "number").StorageKey("task_trash_number").
			Annotations(entsql.IndexWhere("deleted_at IS NOT NULL")),
		index.Fields("user_id", "id").StorageKey("task_unindexed").
			Annotations(entsql.IndexWhere("indexed_version <> version")),
	}
}

// Policy of the Task: only its owner has access.
func (Task) Policy() ent.Policy { return rule.Policy("user_id", rule.Tasks) }
