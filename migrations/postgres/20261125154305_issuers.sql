-- +goose Up
-- drop index "users_subject_key" from table: "users"
DROP INDEX "users_subject_key";
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "issuer" character varying NOT NULL DEFAULT '';
-- create index "user_subject_issuer" to table: "users"
CREATE UNIQUE INDEX "user_subject_issuer" ON "users" ("subject", "issuer");

-- +goose Down
-- modify "users" table
ALTER TABLE "users" DROP COLUMN "issuer";
-- create index "users_subject_key" to table: "users"
CREATE UNIQUE INDEX "users_subject_key" ON "users" ("subject");
