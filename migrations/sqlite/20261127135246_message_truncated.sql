-- +goose Up
-- add column "error_reason" to table: "messages"
ALTER TABLE `messages` ADD COLUMN `error_reason` text NULL;
-- add column "truncated" to table: "messages"
ALTER TABLE `messages` ADD COLUMN `truncated` bool NOT NULL DEFAULT false;

-- +goose Down
-- create "new_messages" table
CREATE TABLE `new_messages` (
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
  CONSTRAINT `messages_conversations_messages` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `messages_users_messages` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "messages" to new temporary table "new_messages"
INSERT INTO `new_messages` (`id`, `created_at`, `updated_at`, `position`, `role`, `content`, `status`, `attempt`, `error_code`, `retry_at`, `input_tokens`, `output_tokens`, `cached_tokens`, `cost_nanos`, `reserved_tokens`, `model`, `prompt_version`, `unverified_reason`, `idempotency_key`, `finished_at`, `conversation_id`, `user_id`) SELECT `id`, `created_at`, `updated_at`, `position`, `role`, `content`, `status`, `attempt`, `error_code`, `retry_at`, `input_tokens`, `output_tokens`, `cached_tokens`, `cost_nanos`, `reserved_tokens`, `model`, `prompt_version`, `unverified_reason`, `idempotency_key`, `finished_at`, `conversation_id`, `user_id` FROM `messages`;
-- drop "messages" table after copying rows
DROP TABLE `messages`;
-- rename temporary table "new_messages" to "messages"
ALTER TABLE `new_messages` RENAME TO `messages`;
-- create index "message_conversation_id_position" to table: "messages"
CREATE UNIQUE INDEX `message_conversation_id_position` ON `messages` (`conversation_id`, `position`);
-- create index "message_user_id_idempotency_key" to table: "messages"
CREATE UNIQUE INDEX `message_user_id_idempotency_key` ON `messages` (`user_id`, `idempotency_key`);
-- create index "message_user_id_created_at" to table: "messages"
CREATE INDEX `message_user_id_created_at` ON `messages` (`user_id`, `created_at`);
-- create index "message_user_id_status" to table: "messages"
CREATE INDEX `message_user_id_status` ON `messages` (`user_id`, `status`);
