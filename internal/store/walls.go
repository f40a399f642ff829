package store

import (
	"context"
	"fmt"
	"time"

	"errand/ent/migrate"

	"entgo.io/ent/dialect"
)

// RLSStatus says what stands, in the database itself, between one person's rows and
// another's. The entities' policies stand in any case.
type RLSStatus struct {
	// Login is who connects, Role who the statements of requests run as.
	Login, Role string
	// BypassesRLS says that row security does not bind Role: a superuser, or with BYPASSRLS.
	BypassesRLS bool
	// OwnsTables says that Role owns the tables and so could switch row security off.
	OwnsTables bool
	// UnprotectedTables are the tables of people's rows without forced row security.
	UnprotectedTables []string
}

// Enforced says whether PostgreSQL itself keeps people apart.
func (w RLSStatus) Enforced() bool { return !w.BypassesRLS && len(w.UnprotectedTables) == 0 }

// RLSStatus looks at the database; it is nil on SQLite, which has no row security.
func (db *DB) RLSStatus(ctx context.Context) (*RLSStatus, error) {
	if db.dialect != dialect.Postgres {
		return nil, nil
	}
	w := &RLSStatus{}
	const who = `SELECT session_user, current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user`
	if err := db.main.QueryRowContext(ctx, who).Scan(&w.Login, &w.Role, &w.BypassesRLS); err != nil {
		return nil, fmt.Errorf("asking for the role: %w", err)
	}
	for _, table := range migrate.Tables {
		var owner, forced bool
		const guard = `SELECT pg_has_role(relowner, 'USAGE'), relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = to_regclass($1)`
		if err := db.main.QueryRowContext(ctx, guard, table.Name).Scan(&owner, &forced); err != nil {
			return nil, fmt.Errorf("looking at table %s: %w", table.Name, err)
		}
		w.OwnsTables = w.OwnsTables || owner
		if !forced {
			w.UnprotectedTables = append(w.UnprotectedTables, table.Name)
		}
	}
	return w, nil
}

// Now is the database's time.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	query := "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
	if db.dialect == dialect.SQLite {
		query = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)"
	}
	var ms int64
	if err := db.main.QueryRowContext(ctx, query).Scan(&ms); err != nil {
		return time.Time{}, fmt.Errorf("asking for the database's time: %w", err)
	}
	return time.UnixMilli(ms), nil
}
