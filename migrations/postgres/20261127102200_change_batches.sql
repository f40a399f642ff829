-- +goose Up
-- modify "task_changes" table
ALTER TABLE "task_changes" ADD COLUMN "batch_id" character varying NULL, ADD COLUMN "undoes" character varying NULL;
-- create index "taskchange_batch" to table: "task_changes"
CREATE INDEX "taskchange_batch" ON "task_changes" ("user_id", "batch_id", "seq") WHERE (batch_id IS NOT NULL);
-- create index "taskchange_undo" to table: "task_changes"
CREATE INDEX "taskchange_undo" ON "task_changes" ("user_id", "task_id") WHERE (undoes IS NOT NULL);
-- fill the batches of the agent's changes, as each user: row-level security applies to the login unless it bypasses it.
-- The lists of labels are there after a migration down and up.
-- +goose StatementBegin
DO $$
DECLARE
  owner text;
  before text := COALESCE(current_setting('errand.user_id', true), '');
BEGIN
  PERFORM set_config('errand.user_id', 'system', true);
  FOREACH owner IN ARRAY (SELECT COALESCE(array_agg(id), '{}') FROM users) LOOP
    PERFORM set_config('errand.user_id', owner, true);
    UPDATE task_changes h SET batch_id = c.message_id
      FROM tool_calls c WHERE c.id = h.tool_call_id AND c.user_id = owner AND h.user_id = owner;
    UPDATE users SET stored_bytes = stored_bytes + (SELECT COALESCE(SUM(
        (SELECT COALESCE(SUM(octet_length(k.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value), jsonb_array_elements(COALESCE(j.value -> 'fromLabels', '[]')) k(value))
        + (SELECT COALESCE(SUM(octet_length(k.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value), jsonb_array_elements(COALESCE(j.value -> 'toLabels', '[]')) k(value))), 0)
        FROM task_changes h WHERE h.user_id = owner)
      WHERE id = owner;
  END LOOP;
  PERFORM set_config('errand.user_id', before, true);
END
$$;
-- +goose StatementEnd

-- +goose Down
-- subtract the lists of labels, which earlier releases do not count, from the users' bytes
-- +goose StatementBegin
DO $$
DECLARE
  owner text;
  before text := COALESCE(current_setting('errand.user_id', true), '');
BEGIN
  PERFORM set_config('errand.user_id', 'system', true);
  FOREACH owner IN ARRAY (SELECT COALESCE(array_agg(id), '{}') FROM users) LOOP
    PERFORM set_config('errand.user_id', owner, true);
    UPDATE users SET stored_bytes = stored_bytes - (SELECT COALESCE(SUM(
        (SELECT COALESCE(SUM(octet_length(k.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value), jsonb_array_elements(COALESCE(j.value -> 'fromLabels', '[]')) k(value))
        + (SELECT COALESCE(SUM(octet_length(k.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value), jsonb_array_elements(COALESCE(j.value -> 'toLabels', '[]')) k(value))), 0)
        FROM task_changes h WHERE h.user_id = owner)
      WHERE id = owner;
  END LOOP;
  PERFORM set_config('errand.user_id', before, true);
END
$$;
-- +goose StatementEnd
-- drop index "taskchange_undo" from table: "task_changes"
DROP INDEX "taskchange_undo";
-- modify "task_changes" table
ALTER TABLE "task_changes" DROP COLUMN "batch_id", DROP COLUMN "undoes";
