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

// TaskChange says who changed what of a task, from what to what.
type TaskChange struct{ ent.Schema }

// Annotations of the TaskChange.
func (TaskChange) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("Who changed what of a task, from what to what. Written once, never altered."),
	}
}

// Mixin of the TaskChange.
func (TaskChange) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.Change}, owned{}}
}

// Fields of the TaskChange.
func (TaskChange) Fields() []ent.Field {
	return []ent.Field{
		field.String("task_id").Immutable().
			Comment("The task."),
		field.Int("seq").Immutable().Positive().
			Comment("Place among the person's changes, growing in the order of commit."),
		field.String("kind").GoType(enum.ChangeKind("")).Immutable().
			Comment("CREATED, UPDATED, COMPLETED, REOPENED, DELETED or RESTORED."),
		field.String("actor").GoType(enum.ActorKind("")).Immutable().
			Comment("PERSON, AGENT or MCP."),
		field.String("tool_call_id").Optional().Nillable().Immutable().
			Comment("The tool call that made the change; null when made by hand."),
		field.String("client").Default("").Immutable().MaxLen(128).
			Comment("The calling program, when the actor is MCP."),
		field.Int("task_version").Immutable().Positive().
			Comment("The task's version after the change: dense, so a task's history is read by ranges of it."),
		field.JSON("fields", []enum.FieldChange{}).Immutable().
			Comment("What changed: each field's name, old and new value."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("When."),
	}
}

// Edges of the TaskChange.
func (TaskChange) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("task_changes").Field("user_id").Unique().Required().Immutable(),
		edge.From("task", Task.Type).Ref("changes").Field("task_id").Unique().Required().Immutable(),
	}
}

// Indexes of the TaskChange.
func (TaskChange) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "seq").Unique(),
		index.Fields("task_id", "task_version").Unique(),
	}
}

// Policy of the TaskChange: its owner alone, of the owner's tasks and tool calls.
func (TaskChange) Policy() ent.Policy {
	return rule.Policy("user_id",
		rule.Edge{Field: "task_id", Table: "tasks", Name: "task"},
		rule.Edge{Field: "tool_call_id", Table: "tool_calls", Name: "tool call"})
}
