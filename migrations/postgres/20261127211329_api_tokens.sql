-- +goose Up
-- create "api_tokens" table
CREATE TABLE "api_tokens" (
  "id" character varying NOT NULL,
  "name" character varying NOT NULL,
  "token_hash" character varying NOT NULL,
  "hint" character varying NOT NULL,
  "scopes" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NULL,
  "last_used_at" timestamptz NULL,
  "revoked_at" timestamptz NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "api_tokens_users_api_tokens" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "apitoken_revoked_at" to table: "api_tokens"
CREATE INDEX "apitoken_revoked_at" ON "api_tokens" ("revoked_at");
-- create index "apitoken_token_hash" to table: "api_tokens"
CREATE UNIQUE INDEX "apitoken_token_hash" ON "api_tokens" ("token_hash");
-- create index "apitoken_user_id_id" to table: "api_tokens"
CREATE INDEX "apitoken_user_id_id" ON "api_tokens" ("user_id", "id");
SELECT errand_guard();
-- The server finds the token of a request before it knows the user.
CREATE POLICY system_reads ON api_tokens FOR SELECT USING (current_setting('errand.user_id', true) = 'system');

-- +goose Down
-- drop "api_tokens" table
DROP TABLE "api_tokens";
