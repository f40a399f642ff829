-- +goose Up
-- create index "task_pending_due" to table: "tasks"
CREATE INDEX `task_pending_due` ON `tasks` (`user_id`, `due_sort`, `number`) WHERE completed_at IS NULL AND deleted_at IS NULL;

-- +goose Down
-- drop index "task_pending_due" from table: "tasks"
DROP INDEX `task_pending_due`;
