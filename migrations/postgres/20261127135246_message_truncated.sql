-- +goose Up
-- modify "messages" table
ALTER TABLE "messages" ADD COLUMN "error_reason" character varying NULL, ADD COLUMN "truncated" boolean NOT NULL DEFAULT false;

-- +goose Down
-- modify "messages" table
ALTER TABLE "messages" DROP COLUMN "error_reason", DROP COLUMN "truncated";
