package signin

import (
	_ "embed" // for commonPasswords
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/apperr"

	"golang.org/x/text/unicode/norm"
)

// commonPasswordList has one password or beginning of passwords per line, in lower case, at least 4 characters long.
//
//go:embed common_passwords.txt
var commonPasswordList string

var commonPasswords = func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonPasswordList) {
		if line = strings.TrimSpace(line); line != "" {
			set[line] = true
		}
	}
	return set
}()

// checkPassword validates a new password of a login. The error is BAD_USER_INPUT for the field of the API.
func checkPassword(field, password, login string) error {
	n := utf8.RuneCountInString(password)
	switch normal, _ := normalizeLogin(password); {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return apperr.Invalid(field, "The password has characters that cannot be typed.")
	case n < MinPassword:
		return apperr.Invalid(field, "The password must have at least %d characters; this one has %d.", MinPassword, n)
	case n > MaxPassword:
		return apperr.Invalid(field, "The password must have at most %d characters; this one has %d.", MaxPassword, n)
	case normal == login:
		return apperr.Invalid(field, "The password must not be the login.")
	case isCommonPassword(password):
		return apperr.Invalid(field, "This password is too common; attackers try it first.")
	}
	return nil
}

// isCommonPassword reports whether a password is, apart from case and digits and punctuation at its ends, in the list
// or a sequence such as "aaaaaaaa", "12345678" or "abcdefgh".
func isCommonPassword(password string) bool {
	text := strings.ToLower(norm.NFKC.String(password))
	if commonPasswords[text] || isSequence(text) {
		return true
	}
	core := strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	// A short core with a long rest, such as "love" and a telephone number, is not common.
	return commonPasswords[core] && utf8.RuneCountInString(text)-utf8.RuneCountInString(core) <= 4
}

// isSequence reports whether all characters have the same distance of at most 1 from the one before, as in "abcdefgh".
func isSequence(text string) bool {
	runes := []rune(text)
	if len(runes) < 2 {
		return true
	}
	step := runes[1] - runes[0]
	if step < -1 || step > 1 {
		return false
	}
	for i := 1; i < len(runes); i++ {
		if runes[i]-runes[i-1] != step {
			return false
		}
	}
	return true
}
