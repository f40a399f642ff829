-- +goose Up
-- create "api_tokens" table
CREATE TABLE `api_tokens` (
  `id` text NOT NULL,
  `name` text NOT NULL,
  `token_hash` text NOT NULL,
  `hint` text NOT NULL,
  `scopes` text NOT NULL,
  `created_at` datetime NOT NULL,
  `expires_at` datetime NULL,
  `last_used_at` datetime NULL,
  `revoked_at` datetime NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `api_tokens_users_api_tokens` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "apitoken_token_hash" to table: "api_tokens"
CREATE UNIQUE INDEX `apitoken_token_hash` ON `api_tokens` (`token_hash`);
-- create index "apitoken_user_id_id" to table: "api_tokens"
CREATE INDEX `apitoken_user_id_id` ON `api_tokens` (`user_id`, `id`);
-- create index "apitoken_revoked_at" to table: "api_tokens"
CREATE INDEX `apitoken_revoked_at` ON `api_tokens` (`revoked_at`);

-- +goose Down
-- drop "api_tokens" table
DROP TABLE `api_tokens`;
