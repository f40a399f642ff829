-- +goose Up
-- create index "task_trash" to table: "tasks"
CREATE INDEX `task_trash` ON `tasks` (`user_id`, `deleted_at`) WHERE deleted_at IS NOT NULL;

-- +goose Down
-- drop index "task_trash" from table: "tasks"
DROP INDEX `task_trash`;
