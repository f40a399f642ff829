-- +goose Up
-- create "deleted_accounts" table
CREATE TABLE "deleted_accounts" (
  "id" character varying NOT NULL,
  "deleted_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- create "users" table
CREATE TABLE "users" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "subject" character varying NOT NULL,
  "name" character varying NOT NULL DEFAULT '',
  "name_chosen" boolean NOT NULL DEFAULT false,
  "email" character varying NOT NULL DEFAULT '',
  "time_zone" character varying NOT NULL DEFAULT 'UTC',
  "last_task_number" bigint NOT NULL DEFAULT 0,
  "last_change" bigint NOT NULL DEFAULT 0,
  PRIMARY KEY ("id")
);
-- create index "users_subject_key" to table: "users"
CREATE UNIQUE INDEX "users_subject_key" ON "users" ("subject");
-- create "conversations" table
CREATE TABLE "conversations" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "title" character varying NOT NULL DEFAULT '',
  "title_source" character varying NOT NULL DEFAULT 'AUTO',
  "message_count" bigint NOT NULL DEFAULT 0,
  "summary" text NOT NULL DEFAULT '',
  "summarised_to" bigint NOT NULL DEFAULT 0,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "conversations_users_conversations" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "conversation_user_id_id" to table: "conversations"
CREATE INDEX "conversation_user_id_id" ON "conversations" ("user_id", "id");
-- create "messages" table
CREATE TABLE "messages" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "position" bigint NOT NULL,
  "role" character varying NOT NULL,
  "content" text NOT NULL DEFAULT '',
  "status" character varying NOT NULL DEFAULT 'COMPLETED',
  "attempt" bigint NOT NULL DEFAULT 0,
  "error_code" character varying NULL,
  "retry_at" timestamptz NULL,
  "input_tokens" bigint NOT NULL DEFAULT 0,
  "output_tokens" bigint NOT NULL DEFAULT 0,
  "cached_tokens" bigint NOT NULL DEFAULT 0,
  "cost_nanos" bigint NULL,
  "reserved_tokens" bigint NOT NULL DEFAULT 0,
  "model" character varying NOT NULL DEFAULT '',
  "prompt_version" character varying NOT NULL DEFAULT '',
  "unverified_reason" text NULL,
  "idempotency_key" character varying NULL,
  "finished_at" timestamptz NULL,
  "conversation_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "messages_conversations_messages" FOREIGN KEY ("conversation_id") REFERENCES "conversations" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "messages_users_messages" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "message_conversation_id_position" to table: "messages"
CREATE UNIQUE INDEX "message_conversation_id_position" ON "messages" ("conversation_id", "position");
-- create index "message_user_id_created_at" to table: "messages"
CREATE INDEX "message_user_id_created_at" ON "messages" ("user_id", "created_at");
-- create index "message_user_id_idempotency_key" to table: "messages"
CREATE UNIQUE INDEX "message_user_id_idempotency_key" ON "messages" ("user_id", "idempotency_key");
-- create index "message_user_id_status" to table: "messages"
CREATE INDEX "message_user_id_status" ON "messages" ("user_id", "status");
-- create "runs" table
CREATE TABLE "runs" (
  "id" character varying NOT NULL,
  "position" bigint NOT NULL,
  "state" character varying NOT NULL DEFAULT 'QUEUED',
  "attempt" bigint NOT NULL DEFAULT 0,
  "failures" bigint NOT NULL DEFAULT 0,
  "worker" character varying NOT NULL DEFAULT '',
  "lease_until" bigint NOT NULL DEFAULT 0,
  "available_at" bigint NOT NULL DEFAULT 0,
  "cancel_requested" boolean NOT NULL DEFAULT false,
  "error_code" character varying NULL,
  "created_at" bigint NOT NULL DEFAULT 0,
  "started_at" bigint NOT NULL DEFAULT 0,
  "finished_at" bigint NOT NULL DEFAULT 0,
  "conversation_id" character varying NOT NULL,
  "message_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "runs_conversations_runs" FOREIGN KEY ("conversation_id") REFERENCES "conversations" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "runs_messages_run" FOREIGN KEY ("message_id") REFERENCES "messages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "runs_users_runs" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "run_conversation_id_position" to table: "runs"
CREATE UNIQUE INDEX "run_conversation_id_position" ON "runs" ("conversation_id", "position");
-- create index "run_state_available_at" to table: "runs"
CREATE INDEX "run_state_available_at" ON "runs" ("state", "available_at");
-- create index "run_user_id_state" to table: "runs"
CREATE INDEX "run_user_id_state" ON "runs" ("user_id", "state");
-- create index "runs_message_id_key" to table: "runs"
CREATE UNIQUE INDEX "runs_message_id_key" ON "runs" ("message_id");
-- create "tasks" table
CREATE TABLE "tasks" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "number" bigint NOT NULL,
  "title" character varying NOT NULL,
  "description" text NOT NULL DEFAULT '',
  "completed_at" timestamptz NULL,
  "priority" bigint NOT NULL DEFAULT 0,
  "due_on" character varying NULL,
  "due_at" timestamptz NULL,
  "due_sort" bigint NOT NULL DEFAULT 253402300799999,
  "labels" jsonb NOT NULL,
  "version" bigint NOT NULL DEFAULT 1,
  "deleted_at" timestamptz NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "tasks_users_tasks" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "task_pending" to table: "tasks"
CREATE INDEX "task_pending" ON "tasks" ("user_id", "number") WHERE ((completed_at IS NULL) AND (deleted_at IS NULL));
-- create index "task_user_id_due_sort_number" to table: "tasks"
CREATE INDEX "task_user_id_due_sort_number" ON "tasks" ("user_id", "due_sort", "number");
-- create index "task_user_id_number" to table: "tasks"
CREATE UNIQUE INDEX "task_user_id_number" ON "tasks" ("user_id", "number");
-- create index "task_user_id_priority_number" to table: "tasks"
CREATE INDEX "task_user_id_priority_number" ON "tasks" ("user_id", "priority", "number");
-- create index "task_user_id_title_number" to table: "tasks"
CREATE INDEX "task_user_id_title_number" ON "tasks" ("user_id", "title", "number");
-- create index "task_user_id_updated_at_number" to table: "tasks"
CREATE INDEX "task_user_id_updated_at_number" ON "tasks" ("user_id", "updated_at", "number");
-- create "task_changes" table
CREATE TABLE "task_changes" (
  "id" character varying NOT NULL,
  "seq" bigint NOT NULL,
  "kind" character varying NOT NULL,
  "actor" character varying NOT NULL,
  "tool_call_id" character varying NULL,
  "client" character varying NOT NULL DEFAULT '',
  "task_version" bigint NOT NULL,
  "fields" jsonb NOT NULL,
  "created_at" timestamptz NOT NULL,
  "task_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "task_changes_tasks_changes" FOREIGN KEY ("task_id") REFERENCES "tasks" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "task_changes_users_task_changes" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "taskchange_task_id_task_version" to table: "task_changes"
CREATE UNIQUE INDEX "taskchange_task_id_task_version" ON "task_changes" ("task_id", "task_version");
-- create index "taskchange_user_id_seq" to table: "task_changes"
CREATE UNIQUE INDEX "taskchange_user_id_seq" ON "task_changes" ("user_id", "seq");
-- create "tool_calls" table
CREATE TABLE "tool_calls" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "seq" bigint NOT NULL,
  "step" bigint NOT NULL,
  "provider_id" character varying NOT NULL,
  "name" character varying NOT NULL,
  "arguments" text NOT NULL,
  "result" text NULL,
  "status" character varying NOT NULL DEFAULT 'STARTED',
  "latency_ms" bigint NULL,
  "text_offset" bigint NOT NULL,
  "provider_extra" text NOT NULL DEFAULT '',
  "message_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "tool_calls_messages_tool_calls" FOREIGN KEY ("message_id") REFERENCES "messages" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "tool_calls_users_tool_calls" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "toolcall_message_id_seq" to table: "tool_calls"
CREATE UNIQUE INDEX "toolcall_message_id_seq" ON "tool_calls" ("message_id", "seq");
-- create index "toolcall_user_id" to table: "tool_calls"
CREATE INDEX "toolcall_user_id" ON "tool_calls" ("user_id");
-- create "usage_days" table
CREATE TABLE "usage_days" (
  "id" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "day" character varying NOT NULL,
  "calls" bigint NOT NULL DEFAULT 0,
  "input_tokens" bigint NOT NULL DEFAULT 0,
  "output_tokens" bigint NOT NULL DEFAULT 0,
  "cached_tokens" bigint NOT NULL DEFAULT 0,
  "cost_nanos" bigint NOT NULL DEFAULT 0,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "usage_days_users_usage_days" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "usageday_user_id_day" to table: "usage_days"
CREATE UNIQUE INDEX "usageday_user_id_day" ON "usage_days" ("user_id", "day");

-- +goose Down
-- drop "deleted_accounts" table
DROP TABLE "deleted_accounts";
-- drop "runs" table
DROP TABLE "runs";
-- drop "tool_calls" table
DROP TABLE "tool_calls";
-- drop "messages" table
DROP TABLE "messages";
-- drop "conversations" table
DROP TABLE "conversations";
-- drop "task_changes" table
DROP TABLE "task_changes";
-- drop "tasks" table
DROP TABLE "tasks";
-- drop "usage_days" table
DROP TABLE "usage_days";
-- drop "users" table
DROP TABLE "users";
