-- +goose Up
-- add column "indexed_version" to table: "tasks"
ALTER TABLE `tasks` ADD COLUMN `indexed_version` integer NOT NULL DEFAULT 0;
-- add column "term_count" to table: "tasks"
ALTER TABLE `tasks` ADD COLUMN `term_count` integer NOT NULL DEFAULT 0;
-- create index "task_unindexed" to table: "tasks"
CREATE INDEX `task_unindexed` ON `tasks` (`user_id`, `id`) WHERE indexed_version <> version;
-- create "task_terms" table
CREATE TABLE `task_terms` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `user_id` text NOT NULL,
  `term` blob NOT NULL,
  `task_number` integer NOT NULL
);
-- create index "taskterm_user_id_term_task_number" to table: "task_terms"
CREATE UNIQUE INDEX `taskterm_user_id_term_task_number` ON `task_terms` (`user_id`, `term`, `task_number`);

-- +goose Down
-- subtract the entries of the search index from the users' bytes
UPDATE users SET stored_bytes = stored_bytes - 100 * (SELECT COALESCE(SUM(t.term_count), 0) FROM tasks t WHERE t.user_id = users.id);
-- create "new_tasks" table
CREATE TABLE `new_tasks` (
  `id` text NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  `number` integer NOT NULL,
  `title` text NOT NULL,
  `description` text NOT NULL DEFAULT '',
  `completed_at` datetime NULL,
  `priority` integer NOT NULL DEFAULT 0,
  `due_on` text NULL,
  `due_at` datetime NULL,
  `due_sort` integer NOT NULL DEFAULT 253402300799999,
  `labels` json NOT NULL,
  `version` integer NOT NULL DEFAULT 1,
  `deleted_at` datetime NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `tasks_users_tasks` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "tasks" to new temporary table "new_tasks"
INSERT INTO `new_tasks` (`id`, `created_at`, `updated_at`, `number`, `title`, `description`, `completed_at`, `priority`, `due_on`, `due_at`, `due_sort`, `labels`, `version`, `deleted_at`, `user_id`) SELECT `id`, `created_at`, `updated_at`, `number`, `title`, `description`, `completed_at`, `priority`, `due_on`, `due_at`, `due_sort`, `labels`, `version`, `deleted_at`, `user_id` FROM `tasks`;
-- drop "tasks" table after copying rows
DROP TABLE `tasks`;
-- rename temporary table "new_tasks" to "tasks"
ALTER TABLE `new_tasks` RENAME TO `tasks`;
-- create index "task_user_id_number" to table: "tasks"
CREATE UNIQUE INDEX `task_user_id_number` ON `tasks` (`user_id`, `number`);
-- create index "task_user_id_updated_at_number" to table: "tasks"
CREATE INDEX `task_user_id_updated_at_number` ON `tasks` (`user_id`, `updated_at`, `number`);
-- create index "task_user_id_due_sort_number" to table: "tasks"
CREATE INDEX `task_user_id_due_sort_number` ON `tasks` (`user_id`, `due_sort`, `number`);
-- create index "task_user_id_priority_number" to table: "tasks"
CREATE INDEX `task_user_id_priority_number` ON `tasks` (`user_id`, `priority`, `number`);
-- create index "task_user_id_title_number" to table: "tasks"
CREATE INDEX `task_user_id_title_number` ON `tasks` (`user_id`, `title`, `number`);
-- create index "task_pending" to table: "tasks"
CREATE INDEX `task_pending` ON `tasks` (`user_id`, `number`) WHERE completed_at IS NULL AND deleted_at IS NULL;
-- drop "task_terms" table
DROP TABLE `task_terms`;
