-- +goose Up
-- add column "issuer" to table: "users"
ALTER TABLE `users` ADD COLUMN `issuer` text NOT NULL DEFAULT '';
-- drop index "users_subject_key" from table: "users"
DROP INDEX `users_subject_key`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);

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
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "users_subject_key" to table: "users"
CREATE UNIQUE INDEX `users_subject_key` ON `users` (`subject`);
