package doctor

import (
	"context"
	"errors"
	"fmt"

	"errand/internal/config"
	"errand/internal/store"
)

// openFix returns what to do when the database cannot be opened.
func openFix(cfg config.Config, err error) string {
	path, isSQLite := cfg.Database.URL.SQLitePath()
	if !isSQLite {
		return "start the database server, and check host, user and password in DATABASE_URL"
	}
	switch store.FaultOf(err) {
	case store.FaultDamaged:
		return damagedFix
	case store.FaultFull:
		return "free space on the disk of " + path
	default:
		return "check that this user may read and write " + path + " and its folder, or set another DATABASE_URL"
	}
}

const damagedFix = "move the SQLite file away and restore a backup (docs/OPERATIONS.md, Backup and restore), " +
	"or set another DATABASE_URL"

// readFix returns what to do when a table cannot be read.
func readFix(db *store.DB, err error) string {
	switch store.FaultOf(err) {
	case store.FaultForbidden:
		return "run as an administrator: " + store.GrantStatement(db)
	case store.FaultDamaged:
		return damagedFix
	case store.FaultNone:
		return "run the release that migrated the database"
	default:
		return "check the database server's log"
	}
}

// migrateFix returns what to do about pending migrations.
func migrateFix(ctx context.Context, db *store.DB) string {
	const command = "errand migrate up"
	if db.SingleServer() {
		if err := store.CheckNotServed(ctx, db); errors.Is(err, store.ErrDatabaseInUse) {
			return "stop the running server, and start this release or run: " + command
		}
		return "run: " + command
	}
	owner, err := store.OtherOwner(ctx, db)
	if err == nil && owner != "" {
		return fmt.Sprintf("run with a DATABASE_URL whose user is %s, the owner of the tables: %s", owner, command)
	}
	return "run: " + command
}
