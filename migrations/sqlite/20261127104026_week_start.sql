-- +goose Up
-- add column "week_start" to table: "users"
ALTER TABLE `users` ADD COLUMN `week_start` text NOT NULL DEFAULT 'MONDAY';

-- +goose Down
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
  `approval_policy` json NULL,
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes`, `last_conversation_change`, `purged_conversation_change`, `approval_policy`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`, `mutations_until`, `open_tasks`, `completed_tasks`, `trashed_tasks`, `conversation_count`, `stored_bytes`, `last_conversation_change`, `purged_conversation_change`, `approval_policy` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);
