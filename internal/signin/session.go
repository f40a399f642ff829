package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"errand/ent"
	"errand/ent/predicate"
	"errand/ent/signinsession"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/store"
	"errand/internal/truncate"

	"entgo.io/ent/dialect/sql"
)

const (
	// maxUserAgent is how much of a user agent is stored, in characters.
	maxUserAgent = 256
	// macBytes is the size of the part of a refresh token that shows that this server made it.
	macBytes = 16
)

// startedSession is a session with the secret of its refresh token.
type startedSession struct {
	row    *ent.SignInSession
	login  *ent.Login
	secret []byte
	ended  []string // older sessions that it replaces
}

// createSession creates a session of the viewer's login in tx, which has locked the user. It ends the oldest sessions
// beyond MaxSessions.
func (s *Service) createSession(
	ctx context.Context, tx *ent.Tx, from Caller, row *ent.Login,
) (*startedSession, error) {
	now := s.timestamp()
	live, err := tx.SignInSession.Query().Where(liveAt(now)).Order(signinsession.ByLastUsedAt()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting sessions: %w", err)
	}
	ended := live[:max(0, len(live)-MaxSessions+1)]
	if len(ended) > 0 {
		err := tx.SignInSession.Update().
			Where(signinsession.IDIn(ended...)).
			SetRevokedAt(now).
			Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("ending the oldest sessions: %w", err)
		}
	}
	secret := randomBytes(secretBytes)
	session, err := tx.SignInSession.Create().
		SetLoginID(row.ID).
		SetRefreshHash(hashSecret(secret)).
		SetRotatedAt(now).
		SetCreatedAt(now).
		SetLastUsedAt(now).
		SetExpiresAt(now.Add(SessionTTL)).
		SetUserAgent(cleanUserAgent(from.UserAgent)).
		Save(ctx)
	if err != nil {
		return nil, fmt.Errorf("creating a session: %w", err)
	}
	return &startedSession{row: session, login: row, secret: secret, ended: ended}, nil
}

func cleanUserAgent(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return truncate.Runes(clean, maxUserAgent)
}

// liveAt selects sessions that have not ended at a time.
func liveAt(now time.Time) predicate.SignInSession {
	return signinsession.And(
		signinsession.RevokedAtIsNil(),
		signinsession.ExpiresAtGT(now),
		signinsession.LastUsedAtGT(now.Add(-SessionIdleTTL)),
	)
}

// present returns a session with its tokens. Call it after the commit.
func (s *Service) present(ctx context.Context, started *startedSession) (*Session, error) {
	s.onRevoked(started.ended...)
	token, expires, err := s.signAccessToken(ctx, started.row)
	if err != nil {
		return nil, err
	}
	refresh, err := s.refreshToken(ctx, started.row.ID, started.secret)
	if err != nil {
		return nil, err
	}
	idle := s.now().Add(SessionIdleTTL)
	return &Session{
		ID:             started.row.ID,
		AccessToken:    token,
		ExpiresAt:      expires,
		User:           newProfile(started.login),
		RefreshToken:   refresh,
		RefreshExpires: slices.MinFunc([]time.Time{idle, started.row.ExpiresAt}, time.Time.Compare),
	}, nil
}

// refreshToken returns the refresh token of a session: its ID, its secret and a message authentication code, which
// distinguishes an old token from one that this server never issued.
func (s *Service) refreshToken(ctx context.Context, sessionID string, secret []byte) (string, error) {
	mac, err := s.refreshMAC(ctx, sessionID, secret)
	if err != nil {
		return "", err
	}
	return sessionID + "." + encode(append(slices.Clone(secret), mac...)), nil
}

func (s *Service) refreshMAC(ctx context.Context, sessionID string, secret []byte) ([]byte, error) {
	key, err := s.deriveKey(ctx, "refresh token")
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(sessionID))
	h.Write(secret)
	return h.Sum(nil)[:macBytes], nil
}

// parseRefreshToken returns the parts of a refresh token that this server made. ok is false for any other text.
func (s *Service) parseRefreshToken(ctx context.Context, token string) (id string, secret []byte, ok bool, err error) {
	id, text, _ := strings.Cut(token, ".")
	parts, decodeErr := decode(text)
	if decodeErr != nil || len(parts) != secretBytes+macBytes || !ids.Is(id, ids.SignInSession) {
		return "", nil, false, nil //nolint:nilerr // not a token of this server
	}
	mac, err := s.refreshMAC(ctx, id, parts[:secretBytes])
	if err != nil {
		return "", nil, false, err
	}
	return id, parts[:secretBytes], hmac.Equal(mac, parts[secretBytes:]), nil
}

// sealSecret encrypts the next secret with the current one, which is used for nothing else, or decrypts it.
func sealSecret(current, next []byte) []byte {
	h := hmac.New(sha256.New, current)
	h.Write([]byte("next secret"))
	sealed := make([]byte, secretBytes)
	subtle.XORBytes(sealed, h.Sum(nil), next)
	return sealed
}

// Refresh continues a session: it returns a new access token and a new refresh token. The token before the current one
// is accepted for RefreshGrace and returns the current one. Any older one shows that the token was copied: the session
// ends. The error is UNAUTHENTICATED for a session that has ended.
func (s *Service) Refresh(ctx context.Context, refreshToken string) (*Session, error) {
	id, secret, ok, err := s.parseRefreshToken(ctx, refreshToken)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errSignedOut()
	}
	// A concurrent refresh may change the row between the read and the update; then the secret is the previous one.
	for range 2 {
		session, err := s.findSession(ctx, id)
		if err != nil {
			return nil, err
		}
		switch hash := hashSecret(secret); {
		case equalHash(session.row.RefreshHash, hash):
			rotated, err := s.rotate(ctx, session, secret)
			if err != nil {
				return nil, err
			}
			if rotated {
				return s.present(ctx, session)
			}
		case equalHash(session.row.PreviousHash, hash) && s.timestamp().Sub(session.row.RotatedAt) <= RefreshGrace:
			session.secret = sealSecret(secret, session.row.SealedSecret)
			return s.present(ctx, session)
		default:
			s.log.WarnContext(ctx, "a refresh token was used again: its sign-in session is ended",
				slog.String("session_id", id), slog.String("login_id", session.row.LoginID))
			if err := s.endSession(asUser(ctx, session.row.UserID), id); err != nil {
				return nil, err
			}
			return nil, errSignedOut()
		}
	}
	return nil, errSignedOut() // ended meanwhile
}

func equalHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// findSession returns a live session of an enabled login, without its secret.
func (s *Service) findSession(ctx context.Context, id string) (*startedSession, error) {
	row, err := s.client.SignInSession.Query().
		Where(signinsession.ID(id), liveAt(s.timestamp())).
		WithLogin().
		Only(asSystem(ctx))
	if ent.IsNotFound(err) {
		return nil, errSignedOut()
	}
	if err != nil {
		return nil, fmt.Errorf("reading a session: %w", err)
	}
	if row.Edges.Login == nil || row.Edges.Login.DisabledAt != nil {
		return nil, errSignedOut()
	}
	return &startedSession{row: row, login: row.Edges.Login}, nil
}

// rotate replaces the secret of a session if it is still the given one.
func (s *Service) rotate(ctx context.Context, session *startedSession, secret []byte) (rotated bool, err error) {
	next, now := randomBytes(secretBytes), s.timestamp()
	n, err := s.client.SignInSession.Update().
		Where(
			signinsession.ID(session.row.ID),
			signinsession.RefreshHash(session.row.RefreshHash),
			signinsession.RevokedAtIsNil(),
		).
		SetPreviousHash(session.row.RefreshHash).
		SetRefreshHash(hashSecret(next)).
		SetSealedSecret(sealSecret(secret, next)).
		SetRotatedAt(now).
		SetLastUsedAt(now).
		Save(asUser(ctx, session.row.UserID))
	if err != nil {
		return false, fmt.Errorf("refreshing a session: %w", err)
	}
	session.secret = next
	return n == 1, nil
}

// SignOut ends the session of a refresh token, or all sessions of its login. An invalid token is not an error.
func (s *Service) SignOut(ctx context.Context, refreshToken string, everywhere bool) error {
	id, secret, ok, err := s.parseRefreshToken(ctx, refreshToken)
	if err != nil || !ok {
		return err
	}
	row, err := s.client.SignInSession.Get(asSystem(ctx), id)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading a session: %w", err)
	}
	user, hash := asUser(ctx, row.UserID), hashSecret(secret)
	known := row.RevokedAt == nil && (equalHash(row.RefreshHash, hash) || equalHash(row.PreviousHash, hash))
	if !everywhere || !known {
		return s.endSession(user, id)
	}
	var ended []string
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if _, err := lockLogin(user, tx, row.UserID); err != nil {
			return err
		}
		ended, err = s.endSessions(user, tx, "")
		return err
	})
	if err != nil {
		return err
	}
	s.onRevoked(ended...)
	return nil
}

// EndSession ends a session of the viewer. The error is NOT_FOUND if there is no such live session.
func (s *Service) EndSession(ctx context.Context, id string) error {
	if _, err := requireSession(ctx); err != nil {
		return err
	}
	exists, err := s.client.SignInSession.Query().Where(signinsession.ID(id), liveAt(s.timestamp())).Exist(ctx)
	if err != nil {
		return fmt.Errorf("reading a session: %w", err)
	}
	if !exists {
		return apperr.Missing("session")
	}
	return s.endSession(ctx, id)
}

// endSession ends a session of the viewer, if it has not ended.
func (s *Service) endSession(ctx context.Context, id string) error {
	err := s.client.SignInSession.Update().
		Where(signinsession.ID(id), signinsession.RevokedAtIsNil()).
		SetRevokedAt(s.timestamp()).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	s.onRevoked(id)
	return nil
}

// endSessions ends all sessions of the viewer except the one with the ID except, and returns their IDs; "" excepts
// none. tx has locked the user, so that no session is created meanwhile.
func (s *Service) endSessions(ctx context.Context, tx *ent.Tx, except string) ([]string, error) {
	others := signinsession.And(signinsession.RevokedAtIsNil(), signinsession.IDNEQ(except))
	ended, err := tx.SignInSession.Query().Where(others).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	if err := tx.SignInSession.Update().Where(others).SetRevokedAt(s.timestamp()).Exec(ctx); err != nil {
		return nil, fmt.Errorf("ending sessions: %w", err)
	}
	return ended, nil
}

// Account returns the settings of the viewer's account.
func (s *Service) Account(ctx context.Context) (*Account, error) {
	row, v, err := s.ownLogin(ctx)
	if err != nil {
		return nil, err
	}
	account := &Account{
		Profile:     newProfile(row),
		HasPassword: row.PasswordHash != nil,
		Passkeys:    []Passkey{},
		Sessions:    []LiveSession{},
	}
	passkeys, err := s.client.Passkey.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	for _, p := range passkeys {
		account.Passkeys = append(account.Passkeys, newPasskey(p))
	}
	sessions, err := s.client.SignInSession.Query().
		Where(liveAt(s.timestamp())).
		Order(signinsession.ByLastUsedAt(sql.OrderDesc())).
		All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	for _, session := range sessions {
		account.Sessions = append(account.Sessions, LiveSession{
			ID:         session.ID,
			Current:    session.ID == v.CredentialID,
			UserAgent:  session.UserAgent,
			CreatedAt:  session.CreatedAt,
			LastUsedAt: session.LastUsedAt,
		})
	}
	return account, nil
}

// Revoked implements revoked.Source: it returns the sessions that were ended during the last window.
func (s *Service) Revoked(ctx context.Context, window time.Duration) ([]string, error) {
	return s.client.SignInSession.Query().
		Where(signinsession.RevokedAtGT(s.timestamp().Add(-window))).
		IDs(asSystem(ctx))
}
