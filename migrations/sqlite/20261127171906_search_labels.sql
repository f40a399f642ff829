-- +goose Up
-- create index "task_trash_number" to table: "tasks"
CREATE INDEX `task_trash_number` ON `tasks` (`user_id`, `number`) WHERE deleted_at IS NOT NULL;
-- create index "taskterm_user_id_task_number_term" to table: "task_terms"
CREATE INDEX `taskterm_user_id_task_number_term` ON `task_terms` (`user_id`, `task_number`, `term`);

-- index all tasks again, in the background: the index now has labels too
UPDATE tasks SET indexed_version = 0 WHERE indexed_version <> 0;

-- +goose Down
-- empty the search index, and subtract it from the users' bytes
UPDATE users SET stored_bytes = stored_bytes - 100 * (SELECT COALESCE(SUM(t.term_count), 0) FROM tasks t WHERE t.user_id = users.id);
UPDATE tasks SET indexed_version = 0, term_count = 0 WHERE indexed_version + term_count <> 0;
DELETE FROM task_terms;
-- drop index "taskterm_user_id_task_number_term" from table: "task_terms"
DROP INDEX `taskterm_user_id_task_number_term`;
-- drop index "task_trash_number" from table: "tasks"
DROP INDEX `task_trash_number`;
