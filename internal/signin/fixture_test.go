package signin

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"
	"errand/internal/testdb"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	goodPassword  = "correct horse battery"
	otherPassword = "another staple here"
)

var fromBrowser = Caller{Address: "192.0.2.1", UserAgent: "Browser/1.0"}

// environment is a Service with a clock that the test moves, and the credentials that were revoked.
type environment struct {
	*Service
	db *store.DB

	mu      sync.Mutex
	time    time.Time
	revoked []string
}

// eachEngine runs a test on both engines, on PostgreSQL with row-level security.
func eachEngine(t *testing.T, test func(t *testing.T, e *environment)) {
	t.Helper()
	testdb.EachURL(t, func(t *testing.T, url string) { test(t, newEnvironment(t, openDatabase(t, url))) })
}

func openDatabase(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{
		URL: url, StatementCache: true, RLS: store.RLSOn, StartupTimeout: -1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func newEnvironment(t *testing.T, db *store.DB) *environment {
	t.Helper()
	e := &environment{db: db, time: time.Now()}
	e.Service = New(Options{
		Client: db.Client(),
		Log:    slog.New(slog.DiscardHandler),
		OnRevoked: func(ids ...string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.revoked = append(e.revoked, ids...)
		},
		IsRevoked: e.isEnded,
		Now: func() time.Time {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.time
		},
	})
	return e
}

func (e *environment) isEnded(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.revoked, id)
}

func (e *environment) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.time = e.time.Add(d)
}

// setUp creates the first owner.
func (e *environment) setUp(t *testing.T) *Session {
	t.Helper()
	token, err := e.OpenSetUp(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token)
	s, err := e.Redeem(
		t.Context(),
		fromBrowser,
		Redemption{Token: token, Login: "Ada", Name: "Ada L.", Password: goodPassword},
	)
	require.NoError(t, err)
	return s
}

// invite creates a member.
func (e *environment) invite(t *testing.T, owner *Session, login string) *Session {
	t.Helper()
	link, err := e.Invite(e.as(t, owner))
	require.NoError(t, err)
	s, err := e.Redeem(t.Context(), fromBrowser, Redemption{Token: link.Token, Login: login, Password: goodPassword})
	require.NoError(t, err)
	return s
}

// verify returns the claims of the access token of a session.
func (e *environment) verify(t *testing.T, s *Session) (auth.Claims, error) {
	t.Helper()
	issuer, err := e.Issuer(t.Context())
	require.NoError(t, err)
	return e.Verifier(issuer, 0).Verify(t.Context(), s.AccessToken)
}

// as returns the context of a request with the access token of a session.
func (e *environment) as(t *testing.T, s *Session) context.Context {
	t.Helper()
	claims, err := e.verify(t, s)
	require.NoError(t, err)
	return viewer.NewContext(t.Context(), viewer.Viewer{
		UserID:       claims.UserID,
		Scopes:       claims.Scopes,
		Expires:      claims.ExpiresAt,
		CredentialID: claims.CredentialID,
	})
}

func requireCode(t *testing.T, code apperr.Code, err error, about ...any) {
	t.Helper()
	require.Equal(t, code, apperr.CodeOf(err), append([]any{err}, about...)...)
}

func requireField(t *testing.T, field string, err error) {
	t.Helper()
	requireCode(t, apperr.BadUserInput, err)
	require.Equal(t, field, apperr.From(err).Field)
}

func (e *environment) signIn(t *testing.T, login, password string) (*Session, error) {
	t.Helper()
	return e.SignIn(t.Context(), fromBrowser, login, password)
}

// concurrently runs fn n times at once and returns the errors.
func concurrently(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-begin
			errs[i] = fn(i)
		})
	}
	close(begin)
	all.Wait()
	return errs
}

func succeeded(errs []error) (n int) {
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}
