-- +goose Up
-- modify "conversations" table
ALTER TABLE "conversations" ADD COLUMN "revision" bigint NOT NULL DEFAULT 0;
-- modify "tool_calls" table
ALTER TABLE "tool_calls" ADD COLUMN "proposal" jsonb NULL, ADD COLUMN "expires_at" timestamptz NULL, ADD COLUMN "decision_message_id" character varying NULL, ADD COLUMN "revision" bigint NOT NULL DEFAULT 0;
-- create index "toolcall_user_id_expires_at" to table: "tool_calls"
CREATE INDEX "toolcall_user_id_expires_at" ON "tool_calls" ("user_id", "expires_at");
-- create index "toolcall_user_id_revision" to table: "tool_calls"
CREATE INDEX "toolcall_user_id_revision" ON "tool_calls" ("user_id", "revision");
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "approval_policy" jsonb NULL;

-- +goose Down
-- modify "conversations" table
ALTER TABLE "conversations" DROP COLUMN "revision";
-- modify "tool_calls" table
ALTER TABLE "tool_calls" DROP COLUMN "proposal", DROP COLUMN "expires_at", DROP COLUMN "decision_message_id", DROP COLUMN "revision";
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "approval_policy";
