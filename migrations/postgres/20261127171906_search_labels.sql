-- +goose Up
-- create index "task_trash_number" to table: "tasks"
CREATE INDEX "task_trash_number" ON "tasks" ("user_id", "number") WHERE (deleted_at IS NOT NULL);
-- create index "taskterm_user_id_task_number_term" to table: "task_terms"
CREATE INDEX "taskterm_user_id_task_number_term" ON "task_terms" ("user_id", "task_number", "term");

-- index all tasks again, in the background: the index now has labels too
-- +goose StatementBegin
DO $$
DECLARE
  owner text;
  before text := COALESCE(current_setting('errand.user_id', true), '');
BEGIN
  PERFORM set_config('errand.user_id', 'system', true);
  FOREACH owner IN ARRAY (SELECT COALESCE(array_agg(id), '{}') FROM users) LOOP
    PERFORM set_config('errand.user_id', owner, true);
    UPDATE tasks SET indexed_version = 0 WHERE user_id = owner AND indexed_version <> 0;
  END LOOP;
  PERFORM set_config('errand.user_id', before, true);
END
$$;
-- +goose StatementEnd

-- +goose Down
-- empty the search index, and subtract it from the users' bytes, as each user
-- +goose StatementBegin
DO $$
DECLARE
  owner text;
  before text := COALESCE(current_setting('errand.user_id', true), '');
BEGIN
  PERFORM set_config('errand.user_id', 'system', true);
  FOREACH owner IN ARRAY (SELECT COALESCE(array_agg(id), '{}') FROM users) LOOP
    PERFORM set_config('errand.user_id', owner, true);
    UPDATE users SET stored_bytes = stored_bytes - 100 * (SELECT COALESCE(SUM(t.term_count), 0) FROM tasks t WHERE t.user_id = owner)
    WHERE id = owner;
    UPDATE tasks SET indexed_version = 0, term_count = 0 WHERE user_id = owner AND indexed_version + term_count <> 0;
  END LOOP;
  PERFORM set_config('errand.user_id', before, true);
END
$$;
-- +goose StatementEnd
TRUNCATE task_terms;
-- drop index "taskterm_user_id_task_number_term" from table: "task_terms"
DROP INDEX "taskterm_user_id_task_number_term";
-- drop index "task_trash_number" from table: "tasks"
DROP INDEX "task_trash_number";
