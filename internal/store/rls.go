package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"errand/ent"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
)

// RLSMode is the mode of PostgreSQL's row-level security (RLS), which separates the users' rows in the database,
// below the entities' privacy policies.
type RLSMode string

// The modes of row-level security.
const (
	// RLSOff relies on the privacy policies. A login to which RLS applies still gets its scope set, because the
	// policies of the database would otherwise show it no rows.
	RLSOff RLSMode = "off"
	// RLSAuto enforces RLS where the login allows it, and logs a warning where it does not.
	RLSAuto RLSMode = "auto"
	// RLSOn fails to open the database without enforced RLS.
	RLSOn RLSMode = "on"
)

// ErrRLSNotEnforced is returned by Open and EnsureSchema with RLSOn when row-level security cannot be enforced.
var ErrRLSNotEnforced = errors.New("row-level security is not enforced")

// appRole is the role, created by a migration, that the statements of the server run as.
const appRole = "errand_app"

// roleLogin is PostgreSQL's name of the session's own role in set_config('role', …).
const roleLogin = "none"

// rlsState is the state of row-level security, shared by all connections of a pool.
type rlsState struct {
	// role is the role that statements run as, roleLogin for the login itself; nil while RLS is not enabled.
	role atomic.Pointer[string]
	// transactionPooling means that a pooler may give the connection to another client between
	// transactions, so no setting may outlive one. Otherwise the role is set once for each connection, which is cheaper.
	transactionPooling bool
}

// enableRLS makes all further statements run under row-level security, if the login allows it. Before the
// tables exist, all of them, it does nothing.
func (db *DB) enableRLS(ctx context.Context) error {
	if db.rls == nil || db.rls.role.Load() != nil {
		return nil
	}
	migrated, err := db.hasTables(ctx)
	if err != nil || !migrated {
		return err
	}
	status, err := db.RLSStatus(ctx)
	if err != nil {
		return err
	}
	role, reason := db.chooseRLSRole(ctx, status)
	switch {
	case reason == "":
		db.log.InfoContext(ctx, "row-level security is enforced", slog.String("role", role))
	case db.rlsMode == RLSOn:
		return fmt.Errorf("%w: %s", ErrRLSNotEnforced, reason)
	default:
		db.log.WarnContext(ctx, ErrRLSNotEnforced.Error(), slog.String("why", reason))
		if status.BypassesRLS {
			return nil
		}
		role = roleLogin // RLS applies to the login where it is forced, so the scope must be set
	}
	db.rls.role.Store(&role)
	return nil
}

// grantAppRole gives the role errand_app the rights that it lacks on the schema and on the login's tables. The
// migration of row-level security sets default privileges, but those hold only for tables that the login of that time
// creates. The lock is for replicas that start together: concurrent grants on one table fail.
const grantAppRole = `DO $$ DECLARE missing record; BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'errand_app') THEN RETURN; END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('errand grants', 0));
	IF NOT has_schema_privilege('errand_app', current_schema(), 'USAGE') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO errand_app', current_schema());
	END IF;
	FOR missing IN
		SELECT c.relname AS name FROM pg_class c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'goose_db_version'
			AND pg_has_role(c.relowner, 'USAGE') AND NOT (
				has_table_privilege('errand_app', c.oid, 'SELECT') AND has_table_privilege('errand_app', c.oid, 'INSERT')
				AND has_table_privilege('errand_app', c.oid, 'UPDATE') AND has_table_privilege('errand_app', c.oid, 'DELETE'))
	LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO errand_app', missing.name);
	END LOOP;
END $$`

// hasTables reports whether all tables exist.
func (db *DB) hasTables(ctx context.Context) (bool, error) {
	for _, table := range ent.Tables() {
		var exists bool
		err := db.writer.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists)
		if err != nil || !exists {
			return false, err
		}
	}
	return true, nil
}

// chooseRLSRole returns the role to run statements as, or the reason why row-level security cannot be enforced.
func (db *DB) chooseRLSRole(ctx context.Context, s *RLSStatus) (role, reason string) {
	switch {
	case db.rlsMode == RLSOff:
		return "", "it is switched off"
	case len(s.UnprotectedTables) > 0:
		return "", "it is not forced on " + strings.Join(s.UnprotectedTables, ", ")
	case db.canAssumeRole(ctx, appRole):
		return appRole, ""
	case s.BypassesRLS:
		return "", "it does not apply to " + s.Login + ", which cannot assume the role " + appRole
	default:
		return roleLogin, ""
	}
}

// canAssumeRole assumes the role in a transaction that it rolls back, and reports whether RLS applies then:
// without a scope no user is visible.
func (db *DB) canAssumeRole(ctx context.Context, role string) bool {
	tx, err := db.writer.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false
	}
	defer tx.Rollback() //nolint:errcheck // nothing was changed
	if _, err := tx.ExecContext(ctx, "SELECT set_config('role', $1, true)", role); err != nil {
		return false
	}
	var visible int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&visible)
	return err == nil && visible == 0
}

// RLSStatus is the state of row-level security in a PostgreSQL database. PostgreSQL separates the users' rows when
// BypassesRLS is false and UnprotectedTables is empty.
type RLSStatus struct {
	// Login is the role that connects, Role the one that statements run as.
	Login, Role string
	// BypassesRLS means that RLS does not apply to Role: a superuser, or with BYPASSRLS.
	BypassesRLS bool
	// OwnsTables means that Role owns tables and could disable RLS on them.
	OwnsTables bool
	// UnprotectedTables are the tables without forced RLS.
	UnprotectedTables []string
}

// RLSStatus reads the state of row-level security. It returns nil on SQLite, which has none.
func (db *DB) RLSStatus(ctx context.Context) (*RLSStatus, error) {
	if db.dialect != dialect.Postgres {
		return nil, nil
	}
	s := &RLSStatus{}
	const roles = `SELECT session_user, current_user, rolsuper OR rolbypassrls
		FROM pg_roles WHERE rolname = current_user`
	if err := db.writer.QueryRowContext(ctx, roles).Scan(&s.Login, &s.Role, &s.BypassesRLS); err != nil {
		return nil, fmt.Errorf("reading the role: %w", err)
	}
	for _, table := range ent.Tables() {
		var owned, forced bool
		const protection = `SELECT pg_has_role(relowner, 'USAGE'), relrowsecurity AND relforcerowsecurity
			FROM pg_class WHERE oid = to_regclass($1)`
		if err := db.writer.QueryRowContext(ctx, protection, table).Scan(&owned, &forced); err != nil {
			return nil, fmt.Errorf("reading the protection of table %s: %w", table, err)
		}
		s.OwnsTables = s.OwnsTables || owned
		if !forced {
			s.UnprotectedTables = append(s.UnprotectedTables, table)
		}
	}
	return s, nil
}

// OtherOwner returns the owner of a PostgreSQL database's tables, who can migrate them, or "" when the login can.
func OtherOwner(ctx context.Context, db *DB) (owner string, err error) {
	const query = `SELECT CASE WHEN pg_has_role(session_user, relowner, 'USAGE') THEN '' ELSE pg_get_userbyid(relowner) END
		FROM pg_class WHERE oid = to_regclass('goose_db_version')`
	err = db.writer.QueryRowContext(ctx, query).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) { // no migration has run
		return "", nil
	}
	return owner, err
}

// GrantStatement returns the SQL that gives the login of a PostgreSQL database the rights that a server needs.
func GrantStatement(db *DB) string {
	return "GRANT " + appRole + " TO " + pgx.Identifier{db.postgres.User}.Sanitize() + ";"
}
