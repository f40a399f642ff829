-- +goose Up
-- create "sign_in_issuers" table
CREATE TABLE "sign_in_issuers" (
  "id" character varying NOT NULL,
  "issuer" character varying NOT NULL,
  "sealing_key" bytea NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- create "sign_in_keys" table
CREATE TABLE "sign_in_keys" (
  "id" character varying NOT NULL,
  "seed" bytea NOT NULL,
  "created_at" timestamptz NOT NULL,
  "retired_at" timestamptz NULL,
  PRIMARY KEY ("id")
);
-- create "used_ceremonies" table
CREATE TABLE "used_ceremonies" (
  "id" character varying NOT NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("id")
);
-- create index "usedceremony_expires_at" to table: "used_ceremonies"
CREATE INDEX "usedceremony_expires_at" ON "used_ceremonies" ("expires_at");
-- create "logins" table
CREATE TABLE "logins" (
  "id" character varying NOT NULL,
  "login" character varying NOT NULL,
  "name" character varying NOT NULL DEFAULT '',
  "password_hash" character varying NULL,
  "role" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "disabled_at" timestamptz NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "logins_users_login" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "login_login" to table: "logins"
CREATE UNIQUE INDEX "login_login" ON "logins" ("login");
-- create index "logins_user_id_key" to table: "logins"
CREATE UNIQUE INDEX "logins_user_id_key" ON "logins" ("user_id");
-- create "passkeys" table
CREATE TABLE "passkeys" (
  "id" character varying NOT NULL,
  "name" character varying NOT NULL,
  "credential_id" character varying NOT NULL,
  "credential" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "last_used_at" timestamptz NULL,
  "login_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "passkeys_logins_passkeys" FOREIGN KEY ("login_id") REFERENCES "logins" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "passkeys_users_passkeys" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "passkey_credential_id" to table: "passkeys"
CREATE UNIQUE INDEX "passkey_credential_id" ON "passkeys" ("credential_id");
-- create index "passkey_login_id" to table: "passkeys"
CREATE INDEX "passkey_login_id" ON "passkeys" ("login_id");
-- create index "passkey_user_id_id" to table: "passkeys"
CREATE INDEX "passkey_user_id_id" ON "passkeys" ("user_id", "id");
-- create "sign_in_links" table
CREATE TABLE "sign_in_links" (
  "id" character varying NOT NULL,
  "kind" character varying NOT NULL,
  "secret_hash" character varying NOT NULL,
  "role" character varying NOT NULL,
  "created_at" timestamptz NOT NULL,
  "expires_at" timestamptz NULL,
  "used_at" timestamptz NULL,
  "login_id" character varying NULL,
  "created_by" character varying NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sign_in_links_logins_invitations" FOREIGN KEY ("created_by") REFERENCES "logins" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "sign_in_links_logins_links" FOREIGN KEY ("login_id") REFERENCES "logins" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signinlink_created_by" to table: "sign_in_links"
CREATE INDEX "signinlink_created_by" ON "sign_in_links" ("created_by");
-- create index "signinlink_login_id" to table: "sign_in_links"
CREATE INDEX "signinlink_login_id" ON "sign_in_links" ("login_id");
-- create index "signinlink_secret_hash" to table: "sign_in_links"
CREATE UNIQUE INDEX "signinlink_secret_hash" ON "sign_in_links" ("secret_hash");
-- create "sign_in_sessions" table
CREATE TABLE "sign_in_sessions" (
  "id" character varying NOT NULL,
  "refresh_hash" character varying NOT NULL,
  "previous_hash" character varying NOT NULL DEFAULT '',
  "sealed_secret" bytea NULL,
  "rotated_at" timestamptz NOT NULL,
  "created_at" timestamptz NOT NULL,
  "last_used_at" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  "user_agent" character varying NOT NULL DEFAULT '',
  "revoked_at" timestamptz NULL,
  "login_id" character varying NOT NULL,
  "user_id" character varying NOT NULL,
  PRIMARY KEY ("id"),
  CONSTRAINT "sign_in_sessions_logins_sessions" FOREIGN KEY ("login_id") REFERENCES "logins" ("id") ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT "sign_in_sessions_users_sign_in_sessions" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signinsession_login_id" to table: "sign_in_sessions"
CREATE INDEX "signinsession_login_id" ON "sign_in_sessions" ("login_id");
-- create index "signinsession_revoked_at" to table: "sign_in_sessions"
CREATE INDEX "signinsession_revoked_at" ON "sign_in_sessions" ("revoked_at");
-- create index "signinsession_user_id_id" to table: "sign_in_sessions"
CREATE INDEX "signinsession_user_id_id" ON "sign_in_sessions" ("user_id", "id");
SELECT errand_guard();
-- The server finds the account of a sign-in, and the session of a refresh, before it knows the user.
CREATE POLICY system_reads ON logins FOR SELECT USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_reads ON passkeys FOR SELECT USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_reads ON sign_in_sessions FOR SELECT USING (current_setting('errand.user_id', true) = 'system');
-- These rows belong to no user.
ALTER TABLE sign_in_issuers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_in_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE sign_in_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE used_ceremonies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON sign_in_issuers USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_rows ON sign_in_keys USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_rows ON sign_in_links USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_rows ON used_ceremonies USING (current_setting('errand.user_id', true) = 'system');

-- +goose Down
-- drop "passkeys" table
DROP TABLE "passkeys";
-- drop "sign_in_issuers" table
DROP TABLE "sign_in_issuers";
-- drop "sign_in_keys" table
DROP TABLE "sign_in_keys";
-- drop "used_ceremonies" table
DROP TABLE "used_ceremonies";
-- drop "sign_in_links" table
DROP TABLE "sign_in_links";
-- drop "sign_in_sessions" table
DROP TABLE "sign_in_sessions";
-- drop "logins" table
DROP TABLE "logins";
