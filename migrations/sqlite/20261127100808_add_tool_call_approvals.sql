-- +goose Up
-- add column "revision" to table: "conversations"
ALTER TABLE `conversations` ADD COLUMN `revision` integer NOT NULL DEFAULT 0;
-- add column "proposal" to table: "tool_calls"
ALTER TABLE `tool_calls` ADD COLUMN `proposal` json NULL;
-- add column "expires_at" to table: "tool_calls"
ALTER TABLE `tool_calls` ADD COLUMN `expires_at` datetime NULL;
-- add column "decision_message_id" to table: "tool_calls"
ALTER TABLE `tool_calls` ADD COLUMN `decision_message_id` text NULL;
-- add column "revision" to table: "tool_calls"
ALTER TABLE `tool_calls` ADD COLUMN `revision` integer NOT NULL DEFAULT 0;
-- create index "toolcall_user_id_expires_at" to table: "tool_calls"
CREATE INDEX `toolcall_user_id_expires_at` ON `tool_calls` (`user_id`, `expires_at`);
-- create index "toolcall_user_id_revision" to table: "tool_calls"
CREATE INDEX `toolcall_user_id_revision` ON `tool_calls` (`user_id`, `revision`);
-- add column "approval_policy" to table: "users"
ALTER TABLE `users` ADD COLUMN `approval_policy` json NULL;

-- +goose Down
-- create "new_conversations" table
CREATE TABLE `new_conversations` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `title` text NOT NULL DEFAULT '',
  `title_source` text NOT NULL DEFAULT 'AUTO',
  `message_count` integer NOT NULL DEFAULT 0,
  `summary` text NOT NULL DEFAULT '',
  `summarised_to` integer NOT NULL DEFAULT 0,
  `user_id` text NOT NULL,
  `archived_at` datetime NULL,
  `seq` integer NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  CONSTRAINT `conversations_users_conversations` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "conversations" to new temporary table "new_conversations"
INSERT INTO `new_conversations` (`id`, `created_at`, `updated_at`, `title`, `title_source`, `message_count`, `summary`, `summarised_to`, `user_id`, `archived_at`, `seq`) SELECT `id`, `created_at`, `updated_at`, `title`, `title_source`, `message_count`, `summary`, `summarised_to`, `user_id`, `archived_at`, `seq` FROM `conversations`;
-- drop "conversations" table after copying rows
DROP TABLE `conversations`;
-- rename temporary table "new_conversations" to "conversations"
ALTER TABLE `new_conversations` RENAME TO `conversations`;
-- create index "conversation_user_id_id" to table: "conversations"
CREATE INDEX `conversation_user_id_id` ON `conversations` (`user_id`, `id`);
-- create index "conversation_user_id_seq" to table: "conversations"
CREATE INDEX `conversation_user_id_seq` ON `conversations` (`user_id`, `seq`);
-- create "new_tool_calls" table
CREATE TABLE `new_tool_calls` (
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
  CONSTRAINT `tool_calls_messages_tool_calls` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `tool_calls_users_tool_calls` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "tool_calls" to new temporary table "new_tool_calls"
INSERT INTO `new_tool_calls` (`id`, `created_at`, `updated_at`, `seq`, `step`, `provider_id`, `name`, `arguments`, `result`, `status`, `latency_ms`, `text_offset`, `provider_extra`, `message_id`, `user_id`) SELECT `id`, `created_at`, `updated_at`, `seq`, `step`, `provider_id`, `name`, `arguments`, `result`, `status`, `latency_ms`, `text_offset`, `provider_extra`, `message_id`, `user_id` FROM `tool_calls`;
-- drop "tool_calls" table after copying rows
DROP TABLE `tool_calls`;
-- rename temporary table "new_tool_calls" to "tool_calls"
ALTER TABLE `new_tool_calls` RENAME TO `tool_calls`;
-- create index "toolcall_message_id_seq" to table: "tool_calls"
CREATE UNIQUE INDEX `toolcall_message_id_seq` ON `tool_calls` (`message_id`, `seq`);
-- create index "toolcall_user_id" to table: "tool_calls"
CREATE INDEX `toolcall_user_id` ON `tool_calls` (`user_id`);
-- create "new_users" table
CREATE TABLE `new_users` (
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
  `issuer` text NOT NULL DEFAULT '',
  `assistant_calls_until` integer NOT NULL DEFAULT 0,
  `mutations_until` integer NOT NULL DEFAULT 0,
  `open_tasks` integer NOT NULL DEFAULT 0,
  `completed_tasks` integer NOT NULL DEFAULT 0,
  `trashed_tasks` integer NOT NULL DEFAULT 0,
  `conversation_count` integer NOT NULL DEFAULT 0,
  `stored_bytes` integer NOT NULL DEFAULT 0,
  `last_conversation_change` integer NOT NULL DEFAULT 0,
  `purged_conversation_change` integer NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes`, `last_conversation_change`, `purged_conversation_change`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes`, `last_conversation_change`, `purged_conversation_change` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);
