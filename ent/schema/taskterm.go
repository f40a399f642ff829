package schema

import (
	"errand/ent/rule"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// TaskTerm is an entry of the search index: a term that occurs in a task.
type TaskTerm struct{ ent.Schema }

// Annotations of the TaskTerm.
func (TaskTerm) Annotations() []schema.Annotation {
	return []schema.Annotation{
		schema.Comment("An entry of the search index: a term that occurs in a task. It has no foreign keys, which " +
			"would cost more than the entry: internal/task writes the entries of a task in the transaction that " +
			"writes the task, and internal/account deletes them with the account."),
	}
}

// Mixin of the TaskTerm.
func (TaskTerm) Mixin() []ent.Mixin { return []ent.Mixin{owned{}} }

// Fields of the TaskTerm.
func (TaskTerm) Fields() []ent.Field {
	return []ent.Field{
		field.Bytes("term").Immutable().
			Comment("Term in UTF-8. Bytes are compared as bytes by both engines, so that an index finds prefixes, " +
				"also below row-level security."),
		field.Int("task_number").Immutable().Positive().
			Comment("Number of the task."),
	}
}

// Indexes of the TaskTerm.
func (TaskTerm) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("user_id", "term", "task_number").Unique(),
		index.Fields("user_id", "task_number", "term"), // looks terms up by their beginnings for each task
	}
}

// Policy of the TaskTerm: only its owner has access.
func (TaskTerm) Policy() ent.Policy { return rule.Policy("user_id", rule.Tasks) }
