-- +goose Up
-- modify "conversations" table
ALTER TABLE "conversations" ADD COLUMN "archived_at" timestamptz NULL, ADD COLUMN "seq" bigint NOT NULL DEFAULT 0;
-- create index "conversation_user_id_seq" to table: "conversations"
CREATE INDEX "conversation_user_id_seq" ON "conversations" ("user_id", "seq");
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "last_conversation_change" bigint NOT NULL DEFAULT 0, ADD COLUMN "purged_conversation_change" bigint NOT NULL DEFAULT 0;
-- create "conversation_tombstones" table
CREATE TABLE "conversation_tombstones" (
  "id" character varying NOT NULL,
  "seq" bigint NOT NULL,
  "deleted_at" timestamptz NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "conversation_tombstones_users_conversation_tombstones" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "conversationtombstone_user_id_seq" to table: "conversation_tombstones"
CREATE UNIQUE INDEX "conversationtombstone_user_id_seq" ON "conversation_tombstones" ("user_id", "seq");
SELECT errand_guard();

-- +goose Down
-- modify "conversations" table
ALTER TABLE "conversations" DROP COLUMN "archived_at", DROP COLUMN "seq";
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "last_conversation_change", DROP COLUMN "purged_conversation_change";
-- drop "conversation_tombstones" table
DROP TABLE "conversation_tombstones";
