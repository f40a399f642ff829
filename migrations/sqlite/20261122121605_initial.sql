-- +goose Up
-- create "conversations" table
CREATE TABLE `conversations` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `title` text NOT NULL DEFAULT '',
  `title_source` text NOT NULL DEFAULT 'AUTO',
  `message_count` integer NOT NULL DEFAULT 0,
  `summary` text NOT NULL DEFAULT '',
  `summarised_to` integer NOT NULL DEFAULT 0,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `conversations_users_conversations` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "conversation_user_id_id" to table: "conversations"
CREATE INDEX `conversation_user_id_id` ON `conversations` (`user_id`, `id`);
-- create "deleted_accounts" table
CREATE TABLE `deleted_accounts` (
  `id` text NOT NULL,
  `deleted_at` datetime NOT NULL,
  PRIMARY KEY (`id`)
);
-- create "messages" table
CREATE TABLE `messages` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `position` integer NOT NULL,
  `role` text NOT NULL,
  `content` text NOT NULL DEFAULT '',
  `status` text NOT NULL DEFAULT 'COMPLETED',
  `attempt` integer NOT NULL DEFAULT 0,
  `error_code` text NULL,
  `retry_at` datetime NULL,
  `input_tokens` integer NOT NULL DEFAULT 0,
  `output_tokens` integer NOT NULL DEFAULT 0,
  `cached_tokens` integer NOT NULL DEFAULT 0,
  `cost_nanos` integer NULL,
  `reserved_tokens` integer NOT NULL DEFAULT 0,
  `model` text NOT NULL DEFAULT '',
  `prompt_version` text NOT NULL DEFAULT '',
  `unverified_reason` text NULL,
  `idempotency_key` text NULL,
  `finished_at` datetime NULL,
  `conversation_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `messages_users_messages` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `messages_conversations_messages` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "message_conversation_id_position" to table: "messages"
CREATE UNIQUE INDEX `message_conversation_id_position` ON `messages` (`conversation_id`, `position`);
-- create index "message_user_id_idempotency_key" to table: "messages"
CREATE UNIQUE INDEX `message_user_id_idempotency_key` ON `messages` (`user_id`, `idempotency_key`);
-- create index "message_user_id_created_at" to table: "messages"
CREATE INDEX `message_user_id_created_at` ON `messages` (`user_id`, `created_at`);
-- create index "message_user_id_status" to table: "messages"
CREATE INDEX `message_user_id_status` ON `messages` (`user_id`, `status`);
-- create "runs" table
CREATE TABLE `runs` (
  `id` text NOT NULL,
  `position` integer NOT NULL,
  `state` text NOT NULL DEFAULT 'QUEUED',
  `attempt` integer NOT NULL DEFAULT 0,
  `failures` integer NOT NULL DEFAULT 0,
  `worker` text NOT NULL DEFAULT '',
  `lease_until` integer NOT NULL DEFAULT 0,
  `available_at` integer NOT NULL DEFAULT 0,
  `cancel_requested` bool NOT NULL DEFAULT false,
  `error_code` text NULL,
  `created_at` integer NOT NULL DEFAULT 0,
  `started_at` integer NOT NULL DEFAULT 0,
  `finished_at` integer NOT NULL DEFAULT 0,
  `conversation_id` text NOT NULL,
  `message_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `runs_users_runs` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `runs_messages_run` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `runs_conversations_runs` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "runs_message_id_key" to table: "runs"
CREATE UNIQUE INDEX `runs_message_id_key` ON `runs` (`message_id`);
-- create index "run_state_available_at" to table: "runs"
CREATE INDEX `run_state_available_at` ON `runs` (`state`, `available_at`);
-- create index "run_conversation_id_position" to table: "runs"
CREATE UNIQUE INDEX `run_conversation_id_position` ON `runs` (`conversation_id`, `position`);
-- create index "run_user_id_state" to table: "runs"
CREATE INDEX `run_user_id_state` ON `runs` (`user_id`, `state`);
-- create "tasks" table
CREATE TABLE `tasks` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `number` integer NOT NULL,
  `title` text NOT NULL,
  `description` text NOT NULL DEFAULT '',
  `completed_at` datetime NULL,
  `priority` integer NOT NULL DEFAULT 0,
  `due_on` text NULL,
  `due_at` datetime NULL,
  `due_sort` integer NOT NULL DEFAULT 253402300799999,
  `labels` json NOT NULL,
  `version` integer NOT NULL DEFAULT 1,
  `deleted_at` datetime NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `tasks_users_tasks` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "task_user_id_number" to table: "tasks"
CREATE UNIQUE INDEX `task_user_id_number` ON `tasks` (`user_id`, `number`);
-- create index "task_user_id_updated_at_number" to table: "tasks"
CREATE INDEX `task_user_id_updated_at_number` ON `tasks` (`user_id`, `updated_at`, `number`);
-- create index "task_user_id_due_sort_number" to table: "tasks"
CREATE INDEX `task_user_id_due_sort_number` ON `tasks` (`user_id`, `due_sort`, `number`);
-- create index "task_user_id_priority_number" to table: "tasks"
CREATE INDEX `task_user_id_priority_number` ON `tasks` (`user_id`, `priority`, `number`);
-- create index "task_user_id_title_number" to table: "tasks"
CREATE INDEX `task_user_id_title_number` ON `tasks` (`user_id`, `title`, `number`);
-- create index "task_pending" to table: "tasks"
CREATE INDEX `task_pending` ON `tasks` (`user_id`, `number`) WHERE completed_at IS NULL AND deleted_at IS NULL;
-- create "task_changes" table
CREATE TABLE `task_changes` (
  `id` text NOT NULL,
  `seq` integer NOT NULL,
  `kind` text NOT NULL,
  `actor` text NOT NULL,
  `tool_call_id` text NULL,
  `client` text NOT NULL DEFAULT '',
  `task_version` integer NOT NULL,
  `fields` json NOT NULL,
  `created_at` datetime NOT NULL,
  `task_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `task_changes_users_task_changes` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `task_changes_tasks_changes` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "taskchange_user_id_seq" to table: "task_changes"
CREATE UNIQUE INDEX `taskchange_user_id_seq` ON `task_changes` (`user_id`, `seq`);
-- create index "taskchange_task_id_task_version" to table: "task_changes"
CREATE UNIQUE INDEX `taskchange_task_id_task_version` ON `task_changes` (`task_id`, `task_version`);
-- create "tool_calls" table
CREATE TABLE `tool_calls` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `seq` integer NOT NULL,
  `step` integer NOT NULL,
  `provider_id` text NOT NULL,
  `name` text NOT NULL,
  `arguments` text NOT NULL,
  `result` text NULL,
  `status` text NOT NULL DEFAULT 'STARTED',
  `latency_ms` integer NULL,
  `text_offset` integer NOT NULL,
  `provider_extra` text NOT NULL DEFAULT '',
  `message_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `tool_calls_users_tool_calls` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `tool_calls_messages_tool_calls` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "toolcall_message_id_seq" to table: "tool_calls"
CREATE UNIQUE INDEX `toolcall_message_id_seq` ON `tool_calls` (`message_id`, `seq`);
-- create index "toolcall_user_id" to table: "tool_calls"
CREATE INDEX `toolcall_user_id` ON `tool_calls` (`user_id`);
-- create "usage_days" table
CREATE TABLE `usage_days` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `day` text NOT NULL,
  `calls` integer NOT NULL DEFAULT 0,
  `input_tokens` integer NOT NULL DEFAULT 0,
  `output_tokens` integer NOT NULL DEFAULT 0,
  `cached_tokens` integer NOT NULL DEFAULT 0,
  `cost_nanos` integer NOT NULL DEFAULT 0,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `usage_days_users_usage_days` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "usageday_user_id_day" to table: "usage_days"
CREATE UNIQUE INDEX `usageday_user_id_day` ON `usage_days` (`user_id`, `day`);
-- create "users" table
CREATE TABLE `users` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `subject` text NOT NULL,
  `name` text NOT NULL DEFAULT '',
  `name_chosen` bool NOT NULL DEFAULT false,
  `email` text NOT NULL DEFAULT '',
  `time_zone` text NOT NULL DEFAULT 'UTC',
  `last_task_number` integer NOT NULL DEFAULT 0,
  `last_change` integer NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
);
-- create index "users_subject_key" to table: "users"
CREATE UNIQUE INDEX `users_subject_key` ON `users` (`subject`);

-- +goose Down
-- drop "conversations" table
DROP TABLE `conversations`;
-- drop "deleted_accounts" table
DROP TABLE `deleted_accounts`;
-- drop "messages" table
DROP TABLE `messages`;
-- drop "runs" table
DROP TABLE `runs`;
-- drop "tasks" table
DROP TABLE `tasks`;
-- drop "task_changes" table
DROP TABLE `task_changes`;
-- drop "tool_calls" table
DROP TABLE `tool_calls`;
-- drop "usage_days" table
DROP TABLE `usage_days`;
-- drop "users" table
DROP TABLE `users`;
