-- +goose Up
-- add column "assistant_calls_until" to table: "users"
ALTER TABLE `users` ADD COLUMN `assistant_calls_until` integer NOT NULL DEFAULT 0;

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
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);
