-- +goose Up
-- modify "runs" table
ALTER TABLE "runs" ADD COLUMN "scopes" character varying NOT NULL DEFAULT '';

-- +goose Down
-- modify "runs" table
ALTER TABLE "runs" DROP COLUMN "scopes";
