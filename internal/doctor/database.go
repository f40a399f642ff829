package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"errand/internal/account"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/store"
)

// checkDatabase looks at the database, its tables, its clock and its walls.
func checkDatabase(ctx context.Context, cfg config.Config) []Finding {
	if path, ok := cfg.Database.URL.SQLitePath(); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return []Finding{
				{Check: "database", State: OK, Found: "the SQLite file " + path + " does not exist yet; serving creates it"},
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	started := time.Now()
	db, err := store.Open(ctx, store.Options{
		URL: cfg.Database.URL.Reveal(), MaxConns: 2, StatementCache: cfg.Database.StatementCache,
		RLS: store.RLSMode(cfg.Database.RowSecurity), Logger: slog.New(slog.DiscardHandler), StartupTimeout: -1,
	})
	if errors.Is(err, store.ErrRLSNotEnforced) {
		return []Finding{
			{
				"wall 2: row security",
				Failed,
				err.Error(),
				"let DATABASE_URL log in as an ordinary role that is a member of errand_app, and run: errand migrate up",
			},
		}
	}
	if err != nil {
		return []Finding{
			{"database", Failed, err.Error(), "start the database server, and check host, user and password in DATABASE_URL"},
		}
	}
	defer db.Close()
	found := []Finding{
		{
			Check: "database",
			State: OK,
			Found: fmt.Sprintf("%s answers after %s", cfg.Database.URL, time.Since(started).Round(time.Millisecond)),
		},
	}
	migrations := checkMigrations(ctx, db)
	found = append(found, migrations, checkDatabaseClock(ctx, db))
	if migrations.State == OK {
		found = append(found, checkRowSecurity(ctx, cfg, db)...)
		found = append(found, checkUserIssuers(ctx, cfg, db))
	}
	return found
}

func checkMigrations(ctx context.Context, db *store.DB) Finding {
	m, err := db.Migrator()
	if err != nil {
		return Finding{"migrations", Failed, err.Error(), "use a build whose migrations are whole"}
	}
	defer m.Close()
	pending, err := m.Pending(ctx)
	switch {
	case err != nil:
		return Finding{
			"migrations",
			Failed,
			err.Error(),
			"give the role the right to use the tables, or run the release that migrated them",
		}
	case pending > 0:
		return Finding{"migrations", Failed, fmt.Sprintf("%d pending", pending), "run: errand migrate up"}
	default:
		return Finding{Check: "migrations", State: OK, Found: "all applied"}
	}
}

func checkDatabaseClock(ctx context.Context, db *store.DB) Finding {
	asked := time.Now()
	theirs, err := db.Now(ctx)
	if err != nil {
		return Finding{"database clock", Failed, err.Error(), "check the database's log"}
	}
	return clockFinding("database clock", asked.Add(time.Since(asked)/2).Sub(theirs), time.Second)
}

// clockFinding judges how far this machine's clock is ahead of another.
func clockFinding(check string, ahead, bearable time.Duration) Finding {
	text := fmt.Sprintf("this machine is %s ahead", ahead.Round(100*time.Millisecond))
	if ahead < 0 {
		text = fmt.Sprintf("this machine is %s behind", (-ahead).Round(100*time.Millisecond))
	}
	if ahead.Abs() > bearable {
		return Finding{check, Warning, text, "let both machines keep time by NTP"}
	}
	return Finding{Check: check, State: OK, Found: text}
}

// checkRowSecurity says what keeps people's rows apart.
func checkRowSecurity(ctx context.Context, cfg config.Config, db *store.DB) []Finding {
	found := []Finding{{Check: "wall 1: policies", State: OK, Found: "every query and change is narrowed to its viewer"}}
	walls, err := db.RLSStatus(ctx)
	switch {
	case err != nil:
		return append(found, Finding{"wall 2: row security", Failed, err.Error(), "give the role the right to use the tables"})
	case walls == nil:
		return append(
			found,
			Finding{Check: "wall 2: row security", State: OK, Found: "SQLite has none; the file is this machine's own"},
		)
	default:
		return append(found, rowSecurityFinding(cfg, walls))
	}
}

func rowSecurityFinding(cfg config.Config, w *store.RLSStatus) Finding {
	const check = "wall 2: row security"
	missing := Warning
	if cfg.Environment == config.Production {
		missing = Failed
	}
	as := fmt.Sprintf("%s runs as %s", w.Login, w.Role)
	switch {
	case len(w.UnprotectedTables) > 0:
		return Finding{
			check,
			missing,
			"not forced on " + strings.Join(w.UnprotectedTables, ", "),
			"run as the tables' owner: " + enableRLSStatements(w.UnprotectedTables),
		}
	case w.BypassesRLS && cfg.Database.RowSecurity == config.RowSecurityOff:
		return Finding{check, Warning, "switched off", "set DB_ROW_SECURITY=auto, unless you mean it"}
	case w.BypassesRLS:
		return Finding{
			check,
			missing,
			as + ", whom row security does not bind",
			"connect as a role that is no superuser and has no BYPASSRLS",
		}
	case w.OwnsTables:
		return Finding{
			check,
			Warning,
			as + ", who owns the tables: bound, but able to lift it",
			"serve as a role that does not own the tables, migrate as their owner",
		}
	default:
		return Finding{Check: check, State: OK, Found: as + ": forced on every table of people's rows"}
	}
}

// checkUserIssuers looks for people whom nobody's token reaches any more, because the issuer has another name by now.
func checkUserIssuers(ctx context.Context, cfg config.Config, db *store.DB) Finding {
	const check = "people"
	issuers, err := account.CountByIssuer(ctx, db.Client())
	if err != nil {
		return Finding{check, Failed, err.Error(), "give the role the right to use the tables"}
	}
	expected, any := cfg.Auth.Issuer, cfg.Auth.Configured() && cfg.Auth.Issuer == ""
	if !cfg.Auth.Configured() {
		expected = auth.DevIssuer
	}
	known, strangers := 0, 0
	for issuer, n := range issuers {
		if any || issuer == expected {
			known += n
		} else {
			strangers += n
		}
	}
	if strangers > 0 {
		return Finding{
			check, Warning, fmt.Sprintf("%d of other issuers than %s: no token reaches them", strangers, expected),
			"nothing if they came from elsewhere; if their issuer has a new name, move them (docs/SECURITY.md, Who is who)",
		}
	}
	return Finding{Check: check, State: OK, Found: fmt.Sprintf("%d known", known)}
}

// enableRLSStatements is the SQL that puts tables behind the wall again. Their policies are left: without one
// a table shows nothing.
func enableRLSStatements(tables []string) string {
	statements := make([]string, len(tables))
	for i, table := range tables {
		statements[i] = "ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
	}
	return strings.Join(statements, " ")
}
