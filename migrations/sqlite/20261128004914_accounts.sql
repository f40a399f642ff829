-- +goose Up
-- create "logins" table
CREATE TABLE `logins` (
  `id` text NOT NULL,
  `login` text NOT NULL,
  `name` text NOT NULL DEFAULT '',
  `password_hash` text NULL,
  `role` text NOT NULL,
  `created_at` datetime NOT NULL,
  `disabled_at` datetime NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `logins_users_login` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "logins_user_id_key" to table: "logins"
CREATE UNIQUE INDEX `logins_user_id_key` ON `logins` (`user_id`);
-- create index "login_login" to table: "logins"
CREATE UNIQUE INDEX `login_login` ON `logins` (`login`);
-- create "passkeys" table
CREATE TABLE `passkeys` (
  `id` text NOT NULL,
  `name` text NOT NULL,
  `credential_id` text NOT NULL,
  `credential` text NOT NULL,
  `created_at` datetime NOT NULL,
  `last_used_at` datetime NULL,
  `login_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `passkeys_users_passkeys` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `passkeys_logins_passkeys` FOREIGN KEY (`login_id`) REFERENCES `logins` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "passkey_credential_id" to table: "passkeys"
CREATE UNIQUE INDEX `passkey_credential_id` ON `passkeys` (`credential_id`);
-- create index "passkey_user_id_id" to table: "passkeys"
CREATE INDEX `passkey_user_id_id` ON `passkeys` (`user_id`, `id`);
-- create index "passkey_login_id" to table: "passkeys"
CREATE INDEX `passkey_login_id` ON `passkeys` (`login_id`);
-- create "sign_in_issuers" table
CREATE TABLE `sign_in_issuers` (
  `id` text NOT NULL,
  `issuer` text NOT NULL,
  `sealing_key` blob NOT NULL,
  `created_at` datetime NOT NULL,
  `updated_at` datetime NOT NULL,
  PRIMARY KEY (`id`)
);
-- create "sign_in_keys" table
CREATE TABLE `sign_in_keys` (
  `id` text NOT NULL,
  `seed` blob NOT NULL,
  `created_at` datetime NOT NULL,
  `retired_at` datetime NULL,
  PRIMARY KEY (`id`)
);
-- create "sign_in_links" table
CREATE TABLE `sign_in_links` (
  `id` text NOT NULL,
  `kind` text NOT NULL,
  `secret_hash` text NOT NULL,
  `role` text NOT NULL,
  `created_at` datetime NOT NULL,
  `expires_at` datetime NULL,
  `used_at` datetime NULL,
  `login_id` text NULL,
  `created_by` text NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sign_in_links_logins_invitations` FOREIGN KEY (`created_by`) REFERENCES `logins` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `sign_in_links_logins_links` FOREIGN KEY (`login_id`) REFERENCES `logins` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signinlink_secret_hash" to table: "sign_in_links"
CREATE UNIQUE INDEX `signinlink_secret_hash` ON `sign_in_links` (`secret_hash`);
-- create index "signinlink_login_id" to table: "sign_in_links"
CREATE INDEX `signinlink_login_id` ON `sign_in_links` (`login_id`);
-- create index "signinlink_created_by" to table: "sign_in_links"
CREATE INDEX `signinlink_created_by` ON `sign_in_links` (`created_by`);
-- create "sign_in_sessions" table
CREATE TABLE `sign_in_sessions` (
  `id` text NOT NULL,
  `refresh_hash` text NOT NULL,
  `previous_hash` text NOT NULL DEFAULT '',
  `sealed_secret` blob NULL,
  `rotated_at` datetime NOT NULL,
  `created_at` datetime NOT NULL,
  `last_used_at` datetime NOT NULL,
  `expires_at` datetime NOT NULL,
  `user_agent` text NOT NULL DEFAULT '',
  `revoked_at` datetime NULL,
  `login_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `sign_in_sessions_users_sign_in_sessions` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `sign_in_sessions_logins_sessions` FOREIGN KEY (`login_id`) REFERENCES `logins` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- create index "signinsession_user_id_id" to table: "sign_in_sessions"
CREATE INDEX `signinsession_user_id_id` ON `sign_in_sessions` (`user_id`, `id`);
-- create index "signinsession_login_id" to table: "sign_in_sessions"
CREATE INDEX `signinsession_login_id` ON `sign_in_sessions` (`login_id`);
-- create index "signinsession_revoked_at" to table: "sign_in_sessions"
CREATE INDEX `signinsession_revoked_at` ON `sign_in_sessions` (`revoked_at`);
-- create "used_ceremonies" table
CREATE TABLE `used_ceremonies` (
  `id` text NOT NULL,
  `expires_at` datetime NOT NULL,
  PRIMARY KEY (`id`)
);
-- create index "usedceremony_expires_at" to table: "used_ceremonies"
CREATE INDEX `usedceremony_expires_at` ON `used_ceremonies` (`expires_at`);

-- +goose Down
-- drop "logins" table
DROP TABLE `logins`;
-- drop "passkeys" table
DROP TABLE `passkeys`;
-- drop "sign_in_issuers" table
DROP TABLE `sign_in_issuers`;
-- drop "sign_in_keys" table
DROP TABLE `sign_in_keys`;
-- drop "sign_in_links" table
DROP TABLE `sign_in_links`;
-- drop "sign_in_sessions" table
DROP TABLE `sign_in_sessions`;
-- drop "used_ceremonies" table
DROP TABLE `used_ceremonies`;
