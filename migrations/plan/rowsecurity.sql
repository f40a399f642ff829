-- The second wall: PostgreSQL itself shows each person that person's rows alone. Who is asking
-- stands in a setting of the transaction; without it no row is visible, not even to the tables' owner.
-- Written by hand: planning compares tables, and knows nothing of policies.

-- +goose Up
-- errand_app is the role of all statements of a serving program: it owns nothing and is never exempt.
-- Where this login may not make roles, the policies bind the login itself.
-- +goose StatementBegin
DO $$
BEGIN
  BEGIN
    CREATE ROLE errand_app NOLOGIN;
  EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL; -- by another database of this server
    WHEN insufficient_privilege THEN RAISE NOTICE 'no right to create the role errand_app';
  END;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'errand_app') THEN
    BEGIN
      IF NOT pg_has_role(current_user, 'errand_app', 'MEMBER') THEN
        GRANT errand_app TO CURRENT_USER;
      END IF;
    EXCEPTION
      WHEN insufficient_privilege THEN RAISE NOTICE 'no right to become errand_app';
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO errand_app', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO errand_app', current_schema());
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO errand_app', current_schema());
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.goose_db_version FROM errand_app', current_schema());
  END IF;
END
$$;
-- +goose StatementEnd

-- errand_guard puts every table of people's rows behind the wall. A migration that adds one ends with
-- SELECT errand_guard(); which may be repeated.
-- +goose StatementBegin
CREATE FUNCTION errand_guard() RETURNS void LANGUAGE plpgsql AS $guard$
DECLARE
  guarded record;
BEGIN
  FOR guarded IN
    SELECT t.relname AS name, a.attname AS owner FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND NOT a.attisdropped
      AND (a.attname = 'user_id' OR t.relname = 'users' AND a.attname = 'id')
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', guarded.name);
    EXECUTE format('DROP POLICY IF EXISTS own_rows ON %I', guarded.name);
    EXECUTE format('CREATE POLICY own_rows ON %I USING (%I = current_setting(''errand.user_id'', true))', guarded.name, guarded.owner);
  END LOOP;
END
$guard$;
-- +goose StatementEnd
SELECT errand_guard();

-- What the server does for nobody in particular, and no more: making accounts known, and
-- finding runs that want a worker. All else it does as one person. No id of a person is "system".
ALTER TABLE deleted_accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY system_rows ON deleted_accounts USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_reads ON users FOR SELECT USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_adds ON users FOR INSERT WITH CHECK (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_changes ON users FOR UPDATE USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_reads ON runs FOR SELECT USING (current_setting('errand.user_id', true) = 'system');
CREATE POLICY system_changes ON runs FOR UPDATE USING (current_setting('errand.user_id', true) = 'system');

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
  policy record;
BEGIN
  FOR policy IN SELECT tablename, policyname FROM pg_policies WHERE schemaname = current_schema()
    AND policyname IN ('own_rows', 'system_rows', 'system_reads', 'system_adds', 'system_changes')
  LOOP
    EXECUTE format('DROP POLICY %I ON %I', policy.policyname, policy.tablename);
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', policy.tablename);
  END LOOP;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'errand_app') THEN
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON TABLES FROM errand_app', current_schema());
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM errand_app', current_schema());
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM errand_app', current_schema());
  END IF;
END
$$;
-- +goose StatementEnd
DROP FUNCTION errand_guard();
