-- +goose Up
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "week_start" character varying NOT NULL DEFAULT 'MONDAY';

-- +goose Down
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "week_start";
