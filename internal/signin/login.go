package signin

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/login"
	"errand/internal/apperr"
	"errand/internal/quota"
	"errand/internal/store"

	"golang.org/x/text/unicode/norm"
)

// loginPunctuation are the characters of a login besides letters and digits.
const loginPunctuation = "._-@+"

// normalizeLogin returns the form in which a login is stored and compared: lower case, in normal form NFKC, without
// surrounding space. The error is BAD_USER_INPUT for a text that is not a login. Combining marks are accepted where
// they and their letter are one character in the normal form.
func normalizeLogin(text string) (string, error) {
	invalid := apperr.Invalid("login", "A login has 1 to %d letters, digits or characters of %q.", MaxLogin,
		loginPunctuation)
	if len(text) > 16*MaxLogin || !utf8.ValidString(text) {
		return "", invalid
	}
	normal := strings.TrimSpace(text)
	// Lower case may change the normal form, and the normal form may have other letters.
	for range 4 {
		next := norm.NFKC.String(strings.ToLower(norm.NFKC.String(normal)))
		if next == normal {
			break
		}
		normal = next
	}
	if i := strings.IndexFunc(normal, unicode.IsMark); i >= 0 {
		mark, _ := utf8.DecodeRuneInString(normal[i:])
		return "", apperr.Invalid("login", "The login has the combining mark %U, which does not form one character with "+
			"the letter before it. Use letters without such marks.", mark)
	}
	n := utf8.RuneCountInString(normal)
	bad := strings.ContainsFunc(normal, func(r rune) bool {
		// Some letters, such as the Hangul fillers, are invisible: with them, logins would differ that look the same.
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(loginPunctuation, r) ||
			unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
	})
	if n < 1 || n > MaxLogin || bad || normal != strings.ToLower(normal) {
		return "", invalid
	}
	return normal, nil
}

// errWrongPassword returns the one error of all sign-ins with wrong credentials.
func errWrongPassword() error {
	return apperr.New(apperr.Unauthenticated, "The login or the password is wrong.")
}

// SignIn starts a session with a password. The error is UNAUTHENTICATED, after the same time, for an unknown login, a
// wrong password, an account without a password and a disabled one; RATE_LIMITED after too many failures.
func (s *Service) SignIn(ctx context.Context, from Caller, name, password string) (_ *Session, err error) {
	normal, err := normalizeLogin(name)
	if err != nil {
		normal = ""
	}
	attempt, err := s.failures.begin(s.now(), signInFailures, from.Address, normal)
	if err != nil {
		return nil, err
	}
	defer func() { attempt.end(err) }()
	row, err := s.findLogin(ctx, normal)
	if err != nil {
		return nil, err
	}
	var hash *string
	if row != nil {
		hash = row.PasswordHash
	}
	if utf8.RuneCountInString(password) > MaxPassword {
		password, hash = "", nil
	}
	ok, err := s.passwords.verify(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	if !ok || row.DisabledAt != nil {
		return nil, errWrongPassword()
	}
	return s.startSession(ctx, from, row)
}

// findLogin returns the login with a normalized name, nil if there is none.
func (s *Service) findLogin(ctx context.Context, normal string) (*ent.Login, error) {
	row, err := s.client.Login.Query().Where(login.Login(normal)).Only(asSystem(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading a login: %w", err)
	}
	return row, nil
}

// startSession starts a session of a login whose password was verified against row. The error is UNAUTHENTICATED if the
// account was disabled or its password changed meanwhile.
func (s *Service) startSession(ctx context.Context, from Caller, row *ent.Login) (*Session, error) {
	user := asUser(ctx, row.UserID)
	var started *startedSession
	err := store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		current, err := lockLogin(user, tx, row.UserID)
		if err != nil {
			return err
		}
		if current.DisabledAt != nil || !equalText(current.PasswordHash, row.PasswordHash) {
			return errWrongPassword()
		}
		started, err = s.createSession(user, tx, from, current)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.present(ctx, started)
}

// lockLogin returns the login of the viewer, locked until tx ends. The error is UNAUTHENTICATED if it was deleted.
func lockLogin(ctx context.Context, tx *ent.Tx, userID string) (*ent.Login, error) {
	if err := quota.Lock(ctx, tx, userID); err != nil {
		return nil, err
	}
	row, err := tx.Login.Query().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, errSignedOut()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the login: %w", err)
	}
	return row, nil
}

func equalText(a, b *string) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// ChangePassword sets the viewer's password and ends the other sessions. The error is BAD_USER_INPUT for the field
// "current" if the current password is wrong; an account without a password has "".
func (s *Service) ChangePassword(ctx context.Context, from Caller, current, password string) error {
	row, v, err := s.ownLogin(ctx)
	if err != nil {
		return err
	}
	if err := checkPassword("new", password, row.Login); err != nil {
		return err
	}
	attempt, err := s.failures.begin(s.now(), signInFailures, from.Address, row.Login)
	if err != nil {
		return err
	}
	if row.PasswordHash == nil && current == "" {
		attempt.end(nil)
	} else {
		ok, err := s.passwords.verify(ctx, row.PasswordHash, current)
		if err == nil && !ok {
			err = errWrongPassword()
		}
		attempt.end(err)
		if err != nil && !ok && apperr.CodeOf(err) != apperr.Unauthenticated {
			return err
		}
		if !ok {
			return apperr.Invalid("current", "The current password is wrong.")
		}
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	var ended []string
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		locked, err := lockLogin(ctx, tx, v.UserID)
		if err != nil {
			return err
		}
		if !equalText(locked.PasswordHash, row.PasswordHash) {
			return apperr.New(apperr.Conflict, "The password was changed meanwhile.")
		}
		if err := tx.Login.UpdateOneID(row.ID).SetPasswordHash(hash).Exec(ctx); err != nil {
			return fmt.Errorf("storing the password: %w", err)
		}
		ended, err = s.endSessions(ctx, tx, v.CredentialID)
		return err
	})
	if err == nil {
		s.onRevoked(ended...)
	}
	return err
}
