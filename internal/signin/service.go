package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/viewer"
)

// secretBytes is the size of the secrets of links and sessions. They have too many bits to be guessed, so that a hash
// without a salt protects them.
const secretBytes = 32

// Service manages built-in accounts. It is safe for concurrent use.
type Service struct {
	*keyring
	client    *ent.Client
	log       *slog.Logger
	onRevoked func(credentialIDs ...string)
	isRevoked func(credentialID string) bool
	passwords *passwordHasher
	failures  *failureLimiter
}

// New returns a Service. It does not access the database before its methods are called.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		keyring:   &keyring{client: o.Client, log: o.Log, now: o.Now},
		client:    o.Client,
		log:       o.Log,
		onRevoked: o.OnRevoked,
		isRevoked: o.IsRevoked,
		passwords: newPasswordHasher(),
		failures:  newFailureLimiter(),
	}
	if s.onRevoked == nil {
		s.onRevoked = func(...string) {}
	}
	if s.isRevoked == nil {
		s.isRevoked = func(string) bool { return false }
	}
	return s
}

// asSystem returns the context of work before the user is known, and of rows that belong to no user.
func asSystem(ctx context.Context) context.Context { return rule.System(ctx) }

// asUser returns the context of work on the rows of a user whom the server has identified.
func asUser(ctx context.Context, userID string) context.Context {
	return viewer.NewContext(ctx, viewer.Viewer{UserID: userID})
}

// requireSession returns the viewer if it is a person with an access token of a sign-in session. Other credentials must
// not change how a user signs in: an API token may leak, and text that an assistant reads may instruct it.
func requireSession(ctx context.Context) (viewer.Viewer, error) {
	v, err := viewer.Require(ctx, viewer.Account)
	if err == nil && (v.Actor != viewer.ActorUser || !ids.Is(v.CredentialID, ids.SignInSession)) {
		err = apperr.New(apperr.Forbidden, "Sign in with the login of this server to see and change it.")
	}
	return v, err
}

// ownLogin returns the login of the viewer, who must be signed in with it.
func (s *Service) ownLogin(ctx context.Context) (*ent.Login, viewer.Viewer, error) {
	v, err := requireSession(ctx)
	if err != nil {
		return nil, v, err
	}
	row, err := s.client.Login.Query().Only(ctx)
	if ent.IsNotFound(err) || err == nil && row.DisabledAt != nil {
		return nil, v, errSignedOut()
	}
	return row, v, err
}

// requireOwner returns the login of the viewer, who must be an owner.
func (s *Service) requireOwner(ctx context.Context) (*ent.Login, error) {
	row, _, err := s.ownLogin(ctx)
	if err == nil && row.Role != enum.RoleOwner {
		err = apperr.New(apperr.Forbidden, "Only owners can do this.")
	}
	return row, err
}

// errSignedOut returns the error for a session that does not exist or has ended, whatever the reason.
func errSignedOut() error {
	return apperr.New(apperr.Unauthenticated, "This session has ended. Sign in again.")
}

func newProfile(row *ent.Login) Profile {
	p := Profile{Login: row.Login, Name: row.Name, Role: row.Role}
	if p.Name == "" {
		p.Name = row.Login
	}
	return p
}

// checkName trims and validates a name, which is one line; "" is valid. It drops controls of the writing direction,
// with which a name could change how the line it is shown in reads.
func checkName(text string) (string, error) {
	valid := utf8.ValidString(text)
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, text))
	n := utf8.RuneCountInString(text)
	if n > MaxName || !valid || strings.ContainsFunc(text, unicode.IsControl) {
		return "", apperr.Invalid("name", "The name must be one line of at most %d characters; this one has %d.", MaxName, n)
	}
	return text, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func hashSecret(secret []byte) string {
	sum := sha256.Sum256(secret)
	return hex.EncodeToString(sum[:])
}

// encode and decode use base64url without padding.
func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(text) }
