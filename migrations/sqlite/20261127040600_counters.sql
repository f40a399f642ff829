-- +goose Up
-- add column "mutations_until" to table: "users"
ALTER TABLE `users` ADD COLUMN `mutations_until` integer NOT NULL DEFAULT 0;
-- add column "open_tasks" to table: "users"
ALTER TABLE `users` ADD COLUMN `open_tasks` integer NOT NULL DEFAULT 0;
-- add column "completed_tasks" to table: "users"
ALTER TABLE `users` ADD COLUMN `completed_tasks` integer NOT NULL DEFAULT 0;
-- add column "trashed_tasks" to table: "users"
ALTER TABLE `users` ADD COLUMN `trashed_tasks` integer NOT NULL DEFAULT 0;
-- add column "conversation_count" to table: "users"
ALTER TABLE `users` ADD COLUMN `conversation_count` integer NOT NULL DEFAULT 0;
-- add column "stored_bytes" to table: "users"
ALTER TABLE `users` ADD COLUMN `stored_bytes` integer NOT NULL DEFAULT 0;
-- fill the counters
UPDATE users SET
  open_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = users.id AND t.deleted_at IS NULL AND t.completed_at IS NULL),
  completed_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = users.id AND t.deleted_at IS NULL AND t.completed_at IS NOT NULL),
  trashed_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = users.id AND t.deleted_at IS NOT NULL),
  conversation_count = (SELECT COUNT(*) FROM conversations c WHERE c.user_id = users.id),
  stored_bytes = (SELECT COALESCE(SUM(200 + octet_length(t.title) + octet_length(t.description)
      + (SELECT COALESCE(SUM(octet_length(j.value)), 0) FROM json_each(t.labels) j)), 0)
      FROM tasks t WHERE t.user_id = users.id)
    + (SELECT COALESCE(SUM(200
      + (SELECT COALESCE(SUM(octet_length(j.value ->> 'from')), 0) FROM json_each(h.fields) j)
      + (SELECT COALESCE(SUM(octet_length(j.value ->> 'to')), 0) FROM json_each(h.fields) j)), 0)
      FROM task_changes h WHERE h.user_id = users.id)
    + (SELECT COALESCE(SUM(200 + octet_length(m.content) + COALESCE((SELECT SUM(200 + octet_length(c.arguments)
        + COALESCE(octet_length(c.result), 0) + octet_length(c.provider_extra)) FROM tool_calls c WHERE c.message_id = m.id), 0)), 0)
      FROM messages m WHERE m.user_id = users.id AND m.status IN ('COMPLETED', 'FAILED', 'CANCELLED'));

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
  PRIMARY KEY (`id`)
);
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until`) SELECT `id`, `created_at`, `updated_at`, `subject`, `name`, `name_chosen`, `email`, `time_zone`, `last_task_number`, `last_change`, `issuer`, `assistant_calls_until` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX `user_subject_issuer` ON `users` (`subject`, `issuer`);
