package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"errand/internal/account"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/signin"
	"errand/internal/store"
)

const (
	databaseTimeout = 15 * time.Second
	// rolesFix is the fix when the login is not restricted by row-level security, or can disable it.
	rolesFix = "use the login errand_server of docs/SECURITY.md, PostgreSQL roles, in DATABASE_URL"
)

// checkDatabase checks the connection, migrations, clock, row-level security and user issuers.
func checkDatabase(ctx context.Context, cfg config.Config) []Finding {
	const check = "database"
	if path, ok := cfg.Database.URL.SQLitePath(); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return []Finding{passed(check, "the SQLite file "+path+" does not exist yet; the server creates it")}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	started := time.Now()
	db, err := store.Open(ctx, store.Options{
		URL:            cfg.Database.URL.Reveal(),
		DirectURL:      cfg.Database.DirectURL.Reveal(),
		MaxConns:       2,
		StatementCache: cfg.Database.StatementCache,
		RLS:            rowSecurityMode(cfg),
		Logger:         slog.New(slog.DiscardHandler),
		StartupTimeout: -1,
	})
	switch {
	case errors.Is(err, store.ErrReadOnly):
		return []Finding{failed(check, err.Error(),
			"use the URL of the primary, or list all servers in DATABASE_URL: postgres://user@one,two/name")}
	case err != nil:
		return []Finding{failed(check, err.Error(), openFix(cfg, err))}
	}
	defer db.Close()
	took := time.Since(started).Round(time.Millisecond)
	findings := []Finding{passed(check, fmt.Sprintf("%s responded in %s", cfg.Database.URL, took))}
	migrations := checkMigrations(ctx, db)
	findings = append(findings, migrations, checkDatabaseClock(ctx, db))
	if !db.SingleServer() {
		findings = append(findings, checkDirectConnection(ctx, cfg, db))
	}
	if migrations.State == OK {
		findings = append(findings,
			passed("privacy policies", "every query and mutation is restricted to its viewer"),
			checkRowSecurity(ctx, cfg, db),
			checkUserIssuers(ctx, cfg, db),
			checkCounters(ctx, db))
		findings = append(findings, checkOwner(ctx, cfg, db)...)
	}
	return findings
}

// checkDirectConnection checks that LISTEN and session locks work, which need a server session of their own.
func checkDirectConnection(ctx context.Context, cfg config.Config, db *store.DB) Finding {
	const (
		check = "direct connection"
		fix   = "set DATABASE_DIRECT_URL to the URL of the same database without a connection pooler"
	)
	err := store.CheckDirect(ctx, db)
	switch {
	case err == nil:
		return passed(check, "LISTEN and session locks work")
	case errors.Is(err, store.ErrTransactionPooled) && !cfg.Database.DirectURL.IsSet() && cfg.Replicas.NATSURL.IsSet():
		return warning(check, "a pooler in transaction mode: the replies of a killed replica continue only after RUN_LEASE",
			fix)
	default:
		return failed(check, err.Error(), fix)
	}
}

func checkMigrations(ctx context.Context, db *store.DB) Finding {
	const check = "migrations"
	m, err := db.Migrator()
	if err != nil {
		return failed(check, err.Error(), "use a build with unmodified migrations")
	}
	defer m.Close()
	pending, err := m.Pending(ctx)
	switch {
	case err != nil:
		return failed(check, err.Error(), readFix(db, err))
	case pending > 0:
		return failed(check, fmt.Sprintf("%d pending", pending), migrateFix(ctx, db))
	default:
		return passed(check, "all applied")
	}
}

func checkDatabaseClock(ctx context.Context, db *store.DB) Finding {
	const check = "database clock"
	started := time.Now()
	remote, err := db.Now(ctx)
	if err != nil {
		return failed(check, err.Error(), "check the database server's log")
	}
	return clockFinding(check, started.Add(time.Since(started)/2).Sub(remote), time.Second)
}

// clockFinding returns a warning when this machine's clock differs from another by more than tolerance. ahead is
// negative when this machine is behind.
func clockFinding(check string, ahead, tolerance time.Duration) Finding {
	detail := fmt.Sprintf("this machine is %s ahead", ahead.Round(100*time.Millisecond))
	if ahead < 0 {
		detail = fmt.Sprintf("this machine is %s behind", (-ahead).Round(100*time.Millisecond))
	}
	if ahead.Abs() > tolerance {
		return warning(check, detail, "synchronize the clocks of both machines with NTP")
	}
	return passed(check, detail)
}

const rowSecurityCheck = "row-level security"

// checkRowSecurity checks whether PostgreSQL itself isolates users, in addition to Ent's privacy policies.
func checkRowSecurity(ctx context.Context, cfg config.Config, db *store.DB) Finding {
	status, err := db.RLSStatus(ctx)
	switch {
	case err != nil:
		return failed(rowSecurityCheck, err.Error(), readFix(db, err))
	case status == nil:
		return passed(rowSecurityCheck, "SQLite has none; only this machine's user can read the file")
	default:
		return rowSecurityFinding(cfg, status)
	}
}

// rowSecurityMode returns the mode to open the database with. Where the server would refuse to start, the checks
// continue, and checkRowSecurity reports the reason.
func rowSecurityMode(cfg config.Config) store.RLSMode {
	if cfg.Database.RowSecurity == config.RowSecurityOn {
		return store.RLSAuto
	}
	return store.RLSMode(cfg.Database.RowSecurity)
}

func rowSecurityFinding(cfg config.Config, s *store.RLSStatus) Finding {
	notEnforced := warning
	if cfg.Environment == config.Production || cfg.Database.RowSecurity == config.RowSecurityOn {
		notEnforced = failed
	}
	roles := fmt.Sprintf("%s runs as %s", s.Login, s.Role)
	switch {
	case len(s.UnprotectedTables) > 0:
		return notEnforced(rowSecurityCheck, "not forced on "+strings.Join(s.UnprotectedTables, ", "),
			"run as the owner of the tables: "+enableRLSStatements(s.UnprotectedTables))
	case s.BypassesRLS && cfg.Database.RowSecurity == config.RowSecurityOff:
		return warning(rowSecurityCheck, "disabled by DB_ROW_SECURITY=off", "set DB_ROW_SECURITY=auto")
	case s.BypassesRLS:
		return notEnforced(rowSecurityCheck, roles+", which bypasses row-level security", rolesFix)
	case s.OwnsTables:
		return warning(rowSecurityCheck, roles+", which owns the tables: enforced, but the role can disable it", rolesFix)
	default:
		return passed(rowSecurityCheck, roles+": forced on every table with user data")
	}
}

// enableRLSStatements returns the SQL that enables and forces row-level security on the tables. Their policies
// exist already; a table without policies would return no rows.
func enableRLSStatements(tables []string) string {
	statements := make([]string, len(tables))
	for i, table := range tables {
		statements[i] = "ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
	}
	return strings.Join(statements, " ")
}

// countersChecked is the number of users, newest first, whose counters the doctor compares.
const countersChecked = 500

// checkCounters compares the counters that quotas and totals use with the users' rows.
func checkCounters(ctx context.Context, db *store.DB) Finding {
	const check = "counters"
	report, err := account.CheckCounters(ctx, db, countersChecked, false)
	switch {
	case err != nil:
		return failed(check, err.Error(), readFix(db, err))
	case len(report.Wrong) > 0:
		return warning(check, fmt.Sprintf("differ from the rows of %d of %d users, such as %s",
			len(report.Wrong), report.Checked, report.Wrong[0]), "run: errand doctor --repair-counters")
	default:
		return passed(check, fmt.Sprintf("equal the rows of %d users", report.Checked))
	}
}

// RepairCounters corrects the counters of all users and returns how many were wrong. A running server is not disturbed.
func RepairCounters(ctx context.Context, db *store.DB) (int, error) {
	report, err := account.CheckCounters(ctx, db, math.MaxInt, true)
	return len(report.Wrong), err
}

// checkUserIssuers warns about users whose issuer is not the configured one, because no token identifies them. That
// happens when the identity provider changes its issuer name.
func checkUserIssuers(ctx context.Context, cfg config.Config, db *store.DB) Finding {
	const check = "users"
	issuers, err := account.CountByIssuer(ctx, db.Client())
	if err != nil {
		return failed(check, err.Error(), readFix(db, err))
	}
	if cfg.LocalAccounts() {
		adopted, err := account.CountAdopted(ctx, db.Client())
		if err != nil {
			return failed(check, err.Error(), readFix(db, err))
		}
		issuers[auth.DevIssuer] -= adopted
		issuers[auth.AccountIssuerPrefix] += adopted
	}
	expected := expectedIssuers(cfg)
	reachable, unreachable := 0, 0
	for issuer, n := range issuers {
		if expected.include(issuer) {
			reachable += n
		} else {
			unreachable += n
		}
	}
	if unreachable > 0 {
		return warning(check,
			fmt.Sprintf("%d of other issuers than %s: no accepted token identifies them", unreachable,
				strings.Join(expected, ", ")),
			"nothing, if they came from another provider; if the issuer was renamed, "+
				"move them (docs/SECURITY.md, Principals)")
	}
	return passed(check, fmt.Sprintf("%d of the configured issuer", reachable))
}

// issuers are the issuers whose tokens are accepted; anyIssuer stands for all, localIssuer for that of the database.
type issuers []string

const (
	anyIssuer   = "any"
	localIssuer = "this server"
)

func expectedIssuers(cfg config.Config) (expected issuers) {
	switch {
	case cfg.DevelopmentSignIn():
		expected = append(expected, auth.DevIssuer)
	case cfg.Auth.Configured() && cfg.Auth.Issuer == "":
		expected = append(expected, anyIssuer)
	case cfg.Auth.Configured():
		expected = append(expected, cfg.Auth.Issuer)
	}
	if cfg.Auth.OIDC() && !cfg.Auth.SharesIssuer() {
		expected = append(expected, cfg.Auth.OIDCIssuer)
	}
	if cfg.LocalAccounts() {
		expected = append(expected, localIssuer)
	}
	return expected
}

func (i issuers) include(issuer string) bool {
	if strings.HasPrefix(issuer, auth.AccountIssuerPrefix) {
		return slices.Contains(i, localIssuer)
	}
	return slices.Contains(i, issuer) || slices.Contains(i, anyIssuer)
}

// checkOwner warns while there are built-in accounts without an owner: only the link of the server's start creates one.
func checkOwner(ctx context.Context, cfg config.Config, db *store.DB) []Finding {
	const check = "owner"
	if !cfg.LocalAccounts() {
		return nil
	}
	open, err := signin.New(signin.Options{Client: db.Client()}).SetUpOpen(ctx)
	switch {
	case err != nil:
		return []Finding{failed(check, err.Error(), readFix(db, err))}
	case open:
		return []Finding{warning(check, "no built-in account may invite others yet",
			"open the link that the server prints and logs at its start (set_up_url), or run errand user add LOGIN --owner")}
	}
	return []Finding{passed(check, "there is an account that may invite others")}
}
