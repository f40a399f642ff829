-- +goose Up
-- add column "scopes" to table: "runs"
ALTER TABLE `runs` ADD COLUMN `scopes` text NOT NULL DEFAULT '';

-- +goose Down
-- create "new_runs" table
CREATE TABLE `new_runs` (
  `id` text NOT NULL,
  `position` integer NOT NULL,
  `state` text NOT NULL DEFAULT 'QUEUED',
  `attempt` integer NOT NULL DEFAULT 0,
  `failures` integer NOT NULL DEFAULT 0,
  `worker` text NOT NULL DEFAULT '',
  `lease_until` integer NOT NULL DEFAULT 0,
  `available_at` integer NOT NULL DEFAULT 0,
  `cancel_requested` bool NOT NULL DEFAULT false,
  `error_code` text NULL,
  `created_at` integer NOT NULL DEFAULT 0,
  `started_at` integer NOT NULL DEFAULT 0,
  `finished_at` integer NOT NULL DEFAULT 0,
  `conversation_id` text NOT NULL,
  `message_id` text NOT NULL,
  `user_id` text NOT NULL,
  PRIMARY KEY (`id`),
  CONSTRAINT `runs_conversations_runs` FOREIGN KEY (`conversation_id`) REFERENCES `conversations` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `runs_messages_run` FOREIGN KEY (`message_id`) REFERENCES `messages` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE,
  CONSTRAINT `runs_users_runs` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON UPDATE NO ACTION ON DELETE CASCADE
);
-- copy rows from old table "runs" to new temporary table "new_runs"
INSERT INTO `new_runs` (`id`, `position`, `state`, `attempt`, `failures`, `worker`, `lease_until`, `available_at`, `cancel_requested`, `error_code`, `created_at`, `started_at`, `finished_at`, `conversation_id`, `message_id`, `user_id`) SELECT `id`, `position`, `state`, `attempt`, `failures`, `worker`, `lease_until`, `available_at`, `cancel_requested`, `error_code`, `created_at`, `started_at`, `finished_at`, `conversation_id`, `message_id`, `user_id` FROM `runs`;
-- drop "runs" table after copying rows
DROP TABLE `runs`;
-- rename temporary table "new_runs" to "runs"
ALTER TABLE `new_runs` RENAME TO `runs`;
-- create index "runs_message_id_key" to table: "runs"
CREATE UNIQUE INDEX `runs_message_id_key` ON `runs` (`message_id`);
-- create index "run_state_available_at" to table: "runs"
CREATE INDEX `run_state_available_at` ON `runs` (`state`, `available_at`);
-- create index "run_conversation_id_position" to table: "runs"
CREATE UNIQUE INDEX `run_conversation_id_position` ON `runs` (`conversation_id`, `position`);
-- create index "run_user_id_state" to table: "runs"
CREATE INDEX `run_user_id_state` ON `runs` (`user_id`, `state`);
