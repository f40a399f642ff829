// Package signin manages built-in accounts: logins with passwords and passkeys, sign-in sessions with short-lived
// access tokens, and the one-time links that create accounts and reset passwords.
//
// A login is the identity of one row of users; the issuer of its tokens and the keys that sign them are rows of the
// database, so that all replicas share them.
package signin

import (
	"encoding/json"
	"log/slog"
	"time"

	"errand/ent"
	"errand/ent/enum"
)

// Lifetimes.
const (
	// AccessTokenTTL is the lifetime of an access token. revoked.Window is longer.
	AccessTokenTTL = 10 * time.Minute
	// SessionTTL is the longest time from a sign-in to the end of its session.
	SessionTTL = 90 * 24 * time.Hour
	// SessionIdleTTL is the time after which an unused session ends.
	SessionIdleTTL = 30 * 24 * time.Hour
	// RefreshGrace is how long the refresh token before the current one is accepted: two tabs may refresh at once, and
	// the answer to a refresh may be lost.
	RefreshGrace = 30 * time.Second
	// InviteTTL is the lifetime of the link of an invitation.
	InviteTTL = 7 * 24 * time.Hour
	// ResetTTL is the lifetime of the link that sets a new password.
	ResetTTL = time.Hour
	// CeremonyTTL is how long a user may take to confirm a passkey in the browser.
	CeremonyTTL = 5 * time.Minute
)

// Limits.
const (
	// MinPassword and MaxPassword are the least and the largest length of a password, in characters.
	MinPassword = 8
	MaxPassword = 256
	// MaxLogin is the largest length of a login, in characters.
	MaxLogin = 64
	// MaxName is the largest length of a display name and of the name of a passkey, in characters.
	MaxName = 100
	// MaxPasskeys is the largest number of passkeys of an account.
	MaxPasskeys = 20
	// MaxSessions is the largest number of live sessions of an account; a further sign-in ends the oldest.
	MaxSessions = 100
)

// Options configure a Service.
type Options struct {
	// Client is the database. Required.
	Client *ent.Client
	// Log receives events that operators need: refused passkeys, stolen refresh tokens, new keys. Nil means
	// slog.Default().
	Log *slog.Logger
	// OnRevoked is called after the commit with the IDs of the sessions and API tokens that ended, so that their
	// connections can be closed; it must not block. A server passes revoked.Set.Revoke. It may be nil in a process
	// without connections: servers read the IDs with Revoked.
	OnRevoked func(credentialIDs ...string)
	// IsRevoked reports whether a session is known to have ended, for the Verifier. Nil means that none is.
	IsRevoked func(credentialID string) bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Origin is the scheme, host and port of a page of this server, such as "https://errand.example.org" or
// "http://localhost:8080". Passkeys are bound to its host. The caller derives it from PUBLIC_URL, or from the request
// if that is not set; it must not be the origin of another site.
type Origin string

// Caller is the client that sends a request to sign in.
type Caller struct {
	// Address is the client's address without a port, by which failures are counted.
	Address string
	// UserAgent is shown to the user in the list of sessions; it is truncated.
	UserAgent string
}

// Profile is what a client shows of an account.
type Profile struct {
	Login string         `json:"login"`
	Name  string         `json:"name"`
	Role  enum.LoginRole `json:"role"`
}

// Session is the result of a sign-in and of a refresh.
type Session struct {
	// ID of the session.
	ID string
	// AccessToken authenticates requests until ExpiresAt.
	AccessToken string
	ExpiresAt   time.Time
	User        Profile
	// RefreshToken is the value of the cookie, valid once, until RefreshExpires at the latest.
	RefreshToken   string
	RefreshExpires time.Time
}

// NewLink is a link that was created. Its token cannot be read again.
type NewLink struct {
	Token string
	// ExpiresAt is nil for the link of the first account.
	ExpiresAt *time.Time
}

// Link is what the holder of a link may know about it.
type Link struct {
	Kind enum.LinkKind `json:"kind"`
	// Login is set if the account exists: always for RESET, and for the INVITE of an account that an operator has added.
	Login string `json:"login,omitempty"`
}

// Redemption is the use of a link.
type Redemption struct {
	Token string
	// Login of the new account. It is ignored if the account of the link exists.
	Login string
	// Name is the display name of a new account; "" means the login.
	Name string
	// Password is required for RESET; elsewhere "" creates an account that can sign in with a passkey only.
	Password string
}

// Ceremony is the beginning of the registration or use of a passkey.
type Ceremony struct {
	// ID is passed back with the browser's answer, within CeremonyTTL.
	ID string `json:"ceremony"`
	// PublicKey is the argument "publicKey" of navigator.credentials.create or get, in the JSON form of WebAuthn Level 3.
	PublicKey json.RawMessage `json:"publicKey"`
}

// Passkey is a passkey of an account.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"createdAt"`
	LastUsedAt *time.Time `json:"lastUsedAt"`
}

// LiveSession is a session in the list of an account.
type LiveSession struct {
	ID string `json:"id"`
	// Current is true for the session of the request.
	Current    bool      `json:"current"`
	UserAgent  string    `json:"userAgent"`
	CreatedAt  time.Time `json:"createdAt"`
	LastUsedAt time.Time `json:"lastUsedAt"`
}

// Account is the settings of an account.
type Account struct {
	Profile
	HasPassword bool          `json:"hasPassword"`
	Passkeys    []Passkey     `json:"passkeys"`
	Sessions    []LiveSession `json:"sessions"`
}

// User is an account in the list of owners and operators.
type User struct {
	ID string `json:"id"`
	Profile
	Disabled  bool      `json:"disabled"`
	CreatedAt time.Time `json:"createdAt"`
	// UserID is the row of the account's data; for operators.
	UserID string `json:"-"`
}
