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

// User is a user account, identified by the issuer and the subject of the sign-in token.
type User struct{ ent.Schema }

// Annotations of the User.
func (User) Annotations() []schema.Annotation {
	return []schema.Annotation{schema.Comment("A user account, identified by the issuer and the subject of " +
		"the sign-in token.")}
}

// Mixin of the User.
func (User) Mixin() []ent.Mixin {
	return []ent.Mixin{identified{prefix: ids.User}, timed{}}
}

// Fields of the User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("issuer").Default("").Immutable().MaxLen(255).
			Comment("Issuer of the token (claim iss); empty if tokens have none."),
		field.String("subject").Immutable().NotEmpty().MaxLen(255).
			Comment("Subject of the token (claim sub), unique per issuer."),
		field.String("name").Default("").MaxRuneLen(200).
			Comment("Display name, from the token or set by the user."),
		field.Bool("name_chosen").Default(false).
			Comment("Whether the user set the name. If so, tokens no longer change it."),
		field.String("email").Default("").MaxRuneLen(320).
			Comment("E-mail address from the token; empty if the token contains none."),
		field.String("time_zone").Default("UTC").MaxLen(64).
			Comment("IANA time zone that days and times of day refer to."),
		field.String("week_start").GoType(enum.Weekday("")).Default(string(enum.Monday)).MaxLen(9).
			Comment("First day of the week, such as MONDAY."),
		field.Int("last_task_number").Default(0).NonNegative().
			Comment("Highest task number assigned so far; numbers are never reused."),
		field.Int("last_change").Default(0).NonNegative().
			Comment("Position of the newest task change. Incrementing it locks the row, so that positions follow " +
				"the order of commits."),
		field.Int("last_conversation_change").Default(0).NonNegative().
			Comment("Position of the newest change to a conversation, its deletion included. Incrementing it locks " +
				"the row, so that positions follow the order of commits."),
		field.Int("purged_conversation_change").Default(0).NonNegative().
			Comment("Position of the newest deletion of a conversation whose tombstone was purged; 0 before the first."),
		field.Int64("assistant_calls_until").Default(0).NonNegative().
			Comment("Rate limit of MCP calls (generic cell rate algorithm): theoretical arrival time of the next " +
				"call, in microseconds since 1970 UTC."),
		field.Int64("mutations_until").Default(0).NonNegative().
			Comment("Rate limit of mutations (generic cell rate algorithm): theoretical arrival time of the next " +
				"mutation, in microseconds since 1970 UTC."),
		field.Int("open_tasks").Default(0).NonNegative().
			Comment("Number of pending tasks outside the trash. This and the following counters change in the " +
				"transaction that changes what they count, under the lock of this row."),
		field.Int("completed_tasks").Default(0).NonNegative().
			Comment("Number of completed tasks outside the trash."),
		field.Int("trashed_tasks").Default(0).NonNegative().
			Comment("Number of tasks in the trash."),
		field.Int("conversation_count").Default(0).NonNegative().
			Comment("Number of conversations."),
		field.Int64("stored_bytes").Default(0).NonNegative().
			Comment("Size of the user's tasks, their history, finished messages and tool calls, as defined in " +
				"internal/quota."),
		field.JSON("approval_policy", enum.ApprovalPolicy{}).Optional().
			Comment("Tools for which the user chose when the agent's changes need approval; null for none."),
	}
}

// Indexes of the User.
func (User) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject", "issuer").Unique()}
}

// Edges of the User. Deleting a user deletes everything that the user owns.
func (User) Edges() []ent.Edge {
	cascade := entsql.OnDelete(entsql.Cascade)
	return []ent.Edge{
		edge.To("tasks", Task.Type).Annotations(cascade),
		edge.To("conversations", Conversation.Type).Annotations(cascade),
		edge.To("conversation_tombstones", ConversationTombstone.Type).Annotations(cascade),
		edge.To("messages", Message.Type).Annotations(cascade),
		edge.To("tool_calls", ToolCall.Type).Annotations(cascade),
		edge.To("runs", Run.Type).Annotations(cascade),
		edge.To("task_changes", TaskChange.Type).Annotations(cascade),
		edge.To("usage_days", UsageDay.Type).Annotations(cascade),
		edge.To("idempotency_keys", IdempotencyKey.Type).Annotations(cascade),
		edge.To("api_tokens", APIToken.Type).Annotations(cascade),
		edge.To("login", Login.Type).Unique().Annotations(cascade),
		edge.To("sign_in_sessions", SignInSession.Type).Annotations(cascade),
		edge.To("passkeys", Passkey.Type).Annotations(cascade),
	}
}

// Policy of the User: users have access to their own row only.
func (User) Policy() ent.Policy { return rule.Policy("id", rule.AnyScope) }
