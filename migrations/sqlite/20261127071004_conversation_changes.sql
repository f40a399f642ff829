-- +goose Up
-- add column "archived_at" to table: "conversations"
ALTER TABLE `conversations` ADD COLUMN `archived_at` datetime NULL;
-- add column "seq" to table: "conversations"
ALTER TABLE `conversations` ADD COLUMN `seq` integer NOT NULL DEFAULT 0;
-- create index "conversation_user_id_seq" to table: "conversations"
CREATE INDEX `conversation_user_id_seq` ON `conversations` (`user_id`, `seq`);
-- add column "last_conversation_change" to table: "users"
ALTER TABLE `users` ADD COLUMN `last_conversation_change` integer NOT NULL DEFAULT 0;
-- add column "purged_conversation_change" to table: "users"
ALTER TABLE `users` ADD COLUMN `purged_conversation_change` integer NOT NULL DEFAULT 0;
-- create "conversation_tombstones" table
CREATE TABLE `conversation_tombstones` (
  `id` text NOT NULL,
  `seq` integer NOT NULL,
  `deleted_at` datetime NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `conversation_tombstones_users_conversation_tombstones` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "conversationtombstone_user_id_seq" to table: "conversation_tombstones"
CREATE UNIQUE INDEX `conversationtombstone_user_id_seq` ON `conversation_tombstones` (`user_id`, `seq`);

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
  PRIMARY KEY (`id`),
  CONSTRAINT `conversations_users_conversations` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "conversations" to new temporary table "new_conversations"
INSERT INTO `new_conversations` (`id`, `created_at`, `updated_at`, `title`, `title_source`, `message_count`, `summary`, `summarised_to`, `user_id`) SELECT `id`, `created_at`, `updated_at`, `title`, `title_source`, `message_count`, `summary`, `summarised_to`, `user_id` FROM `conversations`;
-- drop "conversations" table after copying rows
DROP TABLE `conversations`;
-- rename temporary table "new_conversations" to "conversations"
ALTER TABLE `new_conversations` RENAME TO `conversations`;
-- create index "conversation_user_id_id" to table: "conversations"
CREATE INDEX `conversation_user_id_id` ON `conversations` (`user_id`, `id`);
-- drop "conversation_tombstones" table
DROP TABLE `conversation_tombstones`;
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
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);
