package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// RLSMode says whether PostgreSQL itself keeps people's rows apart, below the
// entities' policies.
type RLSMode string

// The modes of row security.
const (
	// RLSOff leaves it to the entities' policies, as far as the login is not bound all the
	// same. "" does not so much as say who is asking, which suits logins that are exempt alone.
	RLSOff RLSMode = "off"
	// RLSAuto uses it where the login allows.
	RLSAuto RLSMode = "auto"
	// RLSOn refuses to serve without it.
	RLSOn RLSMode = "on"
)

// appRole is the role that a migration makes for the statements of serving programs.
const appRole = "errand_app"

// wall is the state of row security, shared by all connections of a pool.
type wall struct {
	// role is whom each statement runs as, "none" for the login itself; nil while the wall does not stand.
	role atomic.Pointer[string]
	// pooled says that a pooler may hand the connection to another client between transactions: nothing
	// may stay on it. Otherwise the role is taken once a connection, which is cheaper.
	pooled bool
}

// ErrRLSNotEnforced is why Open and EnsureSchema fail with RowSecurityOn where row security cannot bind.
var ErrRLSNotEnforced = errors.New("row security does not keep people's rows apart")

// raiseWall lets row security bind all further statements, where it can. Before the tables
// are there it does nothing.
func (db *DB) raiseWall(ctx context.Context) error {
	if db.wall == nil || db.wall.role.Load() != nil {
		return nil
	}
	var ready bool
	if err := db.main.QueryRowContext(ctx, "SELECT to_regclass('users') IS NOT NULL").Scan(&ready); err != nil || !ready {
		return err
	}
	w, err := db.RLSStatus(ctx)
	if err != nil {
		return err
	}
	role, why := db.wallRole(ctx, w)
	switch {
	case why == "":
		db.log.InfoContext(ctx, "row security stands", slog.String("role", role))
	case db.rowSecurity == RLSOn:
		return fmt.Errorf("%w: %s", ErrRLSNotEnforced, why)
	default:
		db.log.WarnContext(ctx, ErrRLSNotEnforced.Error(), slog.String("why", why))
		if w.BypassesRLS {
			return nil
		}
		role = loginItself // what is forced binds it all the same, and shows nothing to nobody
	}
	db.wall.role.Store(&role)
	return nil
}

// loginItself is the role of those who stay who they are.
const loginItself = "none"

// wallRole picks the role that row security binds, or says why there is none.
func (db *DB) wallRole(ctx context.Context, w *RLSStatus) (role, why string) {
	switch {
	case db.rowSecurity == RLSOff:
		return "", "it is switched off"
	case len(w.UnprotectedTables) > 0:
		return "", "it is not forced on " + strings.Join(w.UnprotectedTables, ", ")
	case db.mayBecome(ctx, appRole):
		return appRole, ""
	case w.BypassesRLS:
		return "", "it does not bind " + w.Login + ", who cannot become " + appRole
	default:
		return loginItself, ""
	}
}

// mayBecome tries the role out, and undoes that.
func (db *DB) mayBecome(ctx context.Context, role string) bool {
	tx, err := db.main.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false
	}
	defer tx.Rollback() //nolint:errcheck // nothing was done
	if _, err := tx.ExecContext(ctx, "SELECT set_config('role', $1, true)", role); err != nil {
		return false
	}
	var n int
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&n)
	return err == nil && n == 0 // bound: nobody is asking
}
