-- +goose Up
-- add column "choices" to table: "tool_calls"
ALTER TABLE `tool_calls` ADD COLUMN `choices` json NULL;

-- +goose Down
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
  `proposal` json NULL,
  `expires_at` datetime NULL,
  `decision_message_id` text NULL,
  `revision` integer NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`),
  CONSTRAINT `tool_calls_messages_tool_calls` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `tool_calls_users_tool_calls` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "tool_calls" to new temporary table "new_tool_calls"
INSERT INTO `new_tool_calls` (`id`, `created_at`, `updated_at`, `seq`, `step`, `provider_id`, `name`, `arguments`, `result`, `status`, `latency_ms`, `text_offset`, `provider_extra`, `message_id`, `user_id`, `proposal`, `expires_at`, `decision_message_id`, `revision`) SELECT `id`, `created_at`, `updated_at`, `seq`, `step`, `provider_id`, `name`, `arguments`, `result`, `status`, `latency_ms`, `text_offset`, `provider_extra`, `message_id`, `user_id`, `proposal`, `expires_at`, `decision_message_id`, `revision` FROM `tool_calls`;
-- drop "tool_calls" table after copying rows
DROP TABLE `tool_calls`;
-- rename temporary table "new_tool_calls" to "tool_calls"
ALTER TABLE `new_tool_calls` RENAME TO `tool_calls`;
-- create index "toolcall_message_id_seq" to table: "tool_calls"
CREATE UNIQUE INDEX `toolcall_message_id_seq` ON `tool_calls` (`message_id`, `seq`);
-- create index "toolcall_user_id" to table: "tool_calls"
CREATE INDEX `toolcall_user_id` ON `tool_calls` (`user_id`);
-- create index "toolcall_user_id_expires_at" to table: "tool_calls"
CREATE INDEX `toolcall_user_id_expires_at` ON `tool_calls` (`user_id`, `expires_at`);
-- create index "toolcall_user_id_revision" to table: "tool_calls"
CREATE INDEX `toolcall_user_id_revision` ON `tool_calls` (`user_id`, `revision`);
