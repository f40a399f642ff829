-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "mutations_until" bigint NOT NULL DEFAULT 0, ADD COLUMN "open_tasks" bigint NOT NULL DEFAULT 0, ADD COLUMN "completed_tasks" bigint NOT NULL DEFAULT 0, ADD COLUMN "trashed_tasks" bigint NOT NULL DEFAULT 0, ADD COLUMN "conversation_count" bigint NOT NULL DEFAULT 0, ADD COLUMN "stored_bytes" bigint NOT NULL DEFAULT 0;
-- fill the counters, as each user: row-level security applies to the login unless it bypasses it
-- +goose StatementBegin
DO $$
DECLARE
  owner text;
  before text := COALESCE(current_setting('errand.user_id', true), '');
BEGIN
  PERFORM set_config('errand.user_id', 'system', true);
  FOREACH owner IN ARRAY (SELECT COALESCE(array_agg(id), '{}') FROM users) LOOP
    PERFORM set_config('errand.user_id', owner, true);
    UPDATE users SET
      open_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = owner AND t.deleted_at IS NULL AND t.completed_at IS NULL),
      completed_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = owner AND t.deleted_at IS NULL AND t.completed_at IS NOT NULL),
      trashed_tasks = (SELECT COUNT(*) FROM tasks t WHERE t.user_id = owner AND t.deleted_at IS NOT NULL),
      conversation_count = (SELECT COUNT(*) FROM conversations c WHERE c.user_id = owner),
      stored_bytes = (SELECT COALESCE(SUM(200 + octet_length(t.title) + octet_length(t.description)
          + (SELECT COALESCE(SUM(octet_length(j.value #>> '{}')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(t.labels) WHEN 'array' THEN t.labels ELSE '[]' END) j(value))), 0)
          FROM tasks t WHERE t.user_id = owner)
        + (SELECT COALESCE(SUM(200
          + (SELECT COALESCE(SUM(octet_length(j.value ->> 'from')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value))
          + (SELECT COALESCE(SUM(octet_length(j.value ->> 'to')), 0) FROM jsonb_array_elements(CASE jsonb_typeof(h.fields) WHEN 'array' THEN h.fields ELSE '[]' END) j(value))), 0)
          FROM task_changes h WHERE h.user_id = owner)
        + (SELECT COALESCE(SUM(200 + octet_length(m.content) + COALESCE((SELECT SUM(200 + octet_length(c.arguments)
            + COALESCE(octet_length(c.result), 0) + octet_length(c.provider_extra)) FROM tool_calls c WHERE c.message_id = m.id), 0)), 0)
          FROM messages m WHERE m.user_id = owner AND m.status IN ('COMPLETED', 'FAILED', 'CANCELLED'))
    WHERE id = owner;
  END LOOP;
  PERFORM set_config('errand.user_id', before, true);
END
$$;
-- +goose StatementEnd

-- +goose Down
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "mutations_until", DROP COLUMN "open_tasks", DROP COLUMN "completed_tasks", DROP COLUMN "trashed_tasks", DROP COLUMN "conversation_count", DROP COLUMN "stored_bytes";
