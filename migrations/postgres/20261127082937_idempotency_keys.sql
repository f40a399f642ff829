-- +goose Up
-- create index "task_completed" to table: "tasks"
CREATE INDEX "task_completed" ON "tasks" ("user_id", "completed_at") WHERE (completed_at IS NOT NULL);
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" (
  "id" character varying NOT NULL,
  "operation" character varying NOT NULL,
  "idempotency_key" character varying NOT NULL,
  "request_hash" character varying NOT NULL,
  "result_ids" jsonb NOT NULL,
  "created_at" timestamptz NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "idempotency_keys_users_idempotency_keys" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "idempotencykey_user_id_created_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_user_id_created_at" ON "idempotency_keys" ("user_id", "created_at");
-- create index "idempotencykey_user_id_operation_idempotency_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_user_id_operation_idempotency_key" ON "idempotency_keys" ("user_id", "operation", "idempotency_key");
SELECT errand_guard();

-- +goose Down
-- drop index "task_completed" from table: "tasks"
DROP INDEX "task_completed";
-- drop "idempotency_keys" table
DROP TABLE "idempotency_keys";
