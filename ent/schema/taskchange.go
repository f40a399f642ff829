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

// TaskChange is an entry in the change history of a task.
type TaskChange struct{ ent.Schema }

// Annotations of the TaskChange.
func (TaskChange) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("An entry in the change history of a task, with the values before and after. Entries " +
			"are never changed."),
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
			Comment("The changed task."),
		field.Int("seq").Immutable().Positive().
			Comment("Position among all changes of the user's tasks, in the order of commits."),
		field.String("kind").GoType(enum.ChangeKind("")).Immutable().
			Comment("Kind: CREATED, UPDATED, COMPLETED, REOPENED, DELETED or RESTORED."),
		field.String("actor").GoType(enum.ActorKind("")).Immutable().
			Comment("Who made the change: PERSON, AGENT or MCP."),
		field.String("tool_call_id").Optional().Nillable().Immutable().
			Comment("Tool call that made the change; null unless the actor is AGENT."),
		field.String("client").Default("").Immutable().MaxLen(128).
			Comment("Name of the MCP client; empty unless the actor is MCP."),
		field.String("batch_id").Optional().Nillable().Immutable().MaxLen(ids.MaxBytes).
			Comment("Batch of changes that are undone together: the reply (msg_…) that made the change, or one " +
				"MCP call, bulk mutation or undo (batch_…); null for a single change by the user."),
		field.String("undoes").Optional().Nillable().Immutable().
			Comment("Change that this change undoes; null unless an undo made it."),
		field.Int("task_version").Immutable().Positive().
			Comment("Version of the task after the change. The versions of a task have no gaps, so that a page " +
				"of its history is a range of versions."),
		field.JSON("fields", []enum.FieldChange{}).Immutable().
			Comment("Changed fields, each with its name, old and new value."),
		field.Time("created_at").Default(ids.Now).Immutable().
			Comment("Time of the change."),
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
		index.Fields("user_id", "batch_id", "seq").StorageKey("taskchange_batch").
			Annotations(entsql.IndexWhere("batch_id IS NOT NULL")),
		index.Fields("user_id", "task_id").StorageKey("taskchange_undo").
			Annotations(entsql.IndexWhere("undoes IS NOT NULL")),
	}
}

// Policy of the TaskChange: only its owner has access, and only for the owner's tasks and tool calls.
func (TaskChange) Policy() ent.Policy {
	return rule.Policy("user_id", rule.Tasks,
		rule.Edge{Field: "task_id", Table: "tasks", Name: "task"},
		rule.Edge{Field: "tool_call_id", Table: "tool_calls", Name: "tool call"},
		rule.Edge{Field: "undoes", Table: "task_changes", Name: "task change"})
}
