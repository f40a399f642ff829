-- +goose Up
-- add column "term_count" to table: "messages"
ALTER TABLE `messages` ADD COLUMN `term_count` integer NULL;
-- create index "message_user_id_id" to table: "messages"
CREATE INDEX `message_user_id_id` ON `messages` (`user_id`, `id`);
-- create index "message_unindexed" to table: "messages"
CREATE INDEX `message_unindexed` ON `messages` (`user_id`, `id`) WHERE term_count IS NULL AND finished_at IS NOT NULL;
-- create "message_terms" table
CREATE TABLE `message_terms` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `user_id` text NOT NULL,
  `term` blob NOT NULL,
  `message_id` text NOT NULL
);
-- create index "messageterm_user_id_term_message_id" to table: "message_terms"
CREATE UNIQUE INDEX `messageterm_user_id_term_message_id` ON `message_terms` (`user_id`, `term`, `message_id`);
-- create index "messageterm_user_id_message_id_term" to table: "message_terms"
CREATE INDEX `messageterm_user_id_message_id_term` ON `message_terms` (`user_id`, `message_id`, `term`);

-- +goose Down
-- subtract the entries of the search index from the users' bytes
UPDATE users SET stored_bytes = stored_bytes - 100 * (SELECT COALESCE(SUM(m.term_count), 0) FROM messages m WHERE m.user_id = users.id);
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
  `error_reason` text NULL,
  `truncated` bool NOT NULL DEFAULT false,
  PRIMARY KEY (`id`),
  CONSTRAINT `messages_conversations_messages` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `messages_users_messages` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "messages" to new temporary table "new_messages"
INSERT INTO `new_messages` (`id`, `created_at`, `updated_at`, `position`, `role`, `content`, `status`, `attempt`, `error_code`, `retry_at`, `input_tokens`, `output_tokens`, `cached_tokens`, `cost_nanos`, `reserved_tokens`, `model`, `prompt_version`, `unverified_reason`, `idempotency_key`, `finished_at`, `conversation_id`, `user_id`, `error_reason`, `truncated`) SELECT `id`, `created_at`, `updated_at`, `position`, `role`, `content`, `status`, `attempt`, `error_code`, `retry_at`, `input_tokens`, `output_tokens`, `cached_tokens`, `cost_nanos`, `reserved_tokens`, `model`, `prompt_version`, `unverified_reason`, `idempotency_key`, `finished_at`, `conversation_id`, `user_id`, `error_reason`, `truncated` FROM `messages`;
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
-- drop "message_terms" table
DROP TABLE `message_terms`;
