-- +goose Up
-- modify "tool_calls" table
ALTER TABLE "tool_calls" ADD COLUMN "choices" jsonb NULL;

-- +goose Down
-- modify "tool_calls" table
ALTER TABLE "tool_calls" DROP COLUMN "choices";
