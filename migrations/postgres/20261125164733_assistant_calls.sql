-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "assistant_calls_until" bigint NOT NULL DEFAULT 0;

-- +goose Down
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "assistant_calls_until";
