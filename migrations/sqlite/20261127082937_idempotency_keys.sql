-- +goose Up
-- create index "task_completed" to table: "tasks"
CREATE INDEX `task_completed` ON `tasks` (`user_id`, `completed_at`) WHERE completed_at IS NOT NULL;
-- create "idempotency_keys" table
CREATE TABLE `idempotency_keys` (
  `id` text NOT NULL,
  `operation` text NOT NULL,
  `idempotency_key` text NOT NULL,
  `request_hash` text NOT NULL,
  `result_ids` json NOT NULL,
  `created_at` datetime NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `idempotency_keys_users_idempotency_keys` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "idempotencykey_user_id_operation_idempotency_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX `idempotencykey_user_id_operation_idempotency_key` ON `idempotency_keys` (`user_id`, `operation`, `idempotency_key`);
-- create index "idempotencykey_user_id_created_at" to table: "idempotency_keys"
CREATE INDEX `idempotencykey_user_id_created_at` ON `idempotency_keys` (`user_id`, `created_at`);

-- +goose Down
-- drop "idempotency_keys" table
DROP TABLE `idempotency_keys`;
-- drop index "task_completed" from table: "tasks"
DROP INDEX `task_completed`;
