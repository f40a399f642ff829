-- +goose Up
-- add column "batch_id" to table: "task_changes"
ALTER TABLE `task_changes` ADD COLUMN `batch_id` text NULL;
-- add column "undoes" to table: "task_changes"
ALTER TABLE `task_changes` ADD COLUMN `undoes` text NULL;
-- create index "taskchange_batch" to table: "task_changes"
CREATE INDEX `taskchange_batch` ON `task_changes` (`user_id`, `batch_id`, `seq`) WHERE batch_id IS NOT NULL;
-- create index "taskchange_undo" to table: "task_changes"
CREATE INDEX `taskchange_undo` ON `task_changes` (`user_id`, `task_id`) WHERE undoes IS NOT NULL;
-- fill the batches of the agent's changes
UPDATE task_changes SET batch_id = (SELECT c.message_id FROM tool_calls c WHERE c.id = task_changes.tool_call_id)
  WHERE tool_call_id IS NOT NULL;
-- count the lists of labels, which are there after a migration down and up
UPDATE users SET stored_bytes = stored_bytes + (SELECT COALESCE(SUM(
    (SELECT COALESCE(SUM(octet_length(k.value)), 0) FROM json_each(h.fields) j, json_each(j.value, '$.fromLabels') k)
    + (SELECT COALESCE(SUM(octet_length(k.value)), 0) FROM json_each(h.fields) j, json_each(j.value, '$.toLabels') k)), 0)
    FROM task_changes h WHERE h.user_id = users.id);

-- +goose Down
-- subtract the lists of labels, which earlier releases do not count, from the users' bytes
UPDATE users SET stored_bytes = stored_bytes - (SELECT COALESCE(SUM(
    (SELECT COALESCE(SUM(octet_length(k.value)), 0) FROM json_each(h.fields) j, json_each(j.value, '$.fromLabels') k)
    + (SELECT COALESCE(SUM(octet_length(k.value)), 0) FROM json_each(h.fields) j, json_each(j.value, '$.toLabels') k)), 0)
    FROM task_changes h WHERE h.user_id = users.id);
-- create "new_task_changes" table
CREATE TABLE `new_task_changes` (
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
  CONSTRAINT `task_changes_tasks_changes` FOREIGN KEY (`task_id`) REFERENCES `tasks` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `task_changes_users_task_changes` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "task_changes" to new temporary table "new_task_changes"
INSERT INTO `new_task_changes` (`id`, `seq`, `kind`, `actor`, `tool_call_id`, `client`, `task_version`, `fields`, `created_at`, `task_id`, `user_id`) SELECT `id`, `seq`, `kind`, `actor`, `tool_call_id`, `client`, `task_version`, `fields`, `created_at`, `task_id`, `user_id` FROM `task_changes`;
-- drop "task_changes" table after copying rows
DROP TABLE `task_changes`;
-- rename temporary table "new_task_changes" to "task_changes"
ALTER TABLE `new_task_changes` RENAME TO `task_changes`;
-- create index "taskchange_user_id_seq" to table: "task_changes"
CREATE UNIQUE INDEX `taskchange_user_id_seq` ON `task_changes` (`user_id`, `seq`);
-- create index "taskchange_task_id_task_version" to table: "task_changes"
CREATE UNIQUE INDEX `taskchange_task_id_task_version` ON `task_changes` (`task_id`, `task_version`);
