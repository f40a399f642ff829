package apitoken

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"

	"errand/internal/auth"
)

// The parts of a secret: auth.APITokenPrefix, random characters (202 bits), and the CRC-32 of the random characters.
// The checksum rejects a mistyped or truncated secret without a query, and lets scanners find leaked ones without
// false alarms.
const (
	randomChars   = 34
	checksumChars = 6
	// SecretLength is the length of a secret.
	SecretLength = len(auth.APITokenPrefix) + randomChars + checksumChars
	// hintChars is the length of the beginning that is stored: 4 random characters.
	hintChars = len(auth.APITokenPrefix) + 4
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newSecret returns a new secret.
func newSecret() string {
	text := make([]byte, 0, randomChars)
	for len(text) < randomChars {
		var random [2 * randomChars]byte
		_, _ = rand.Read(random[:]) // never fails (crypto/rand)
		for _, b := range random {
			// Larger values would make the first characters of the alphabet more frequent.
			if b < 4*byte(len(base62)) && len(text) < randomChars {
				text = append(text, base62[int(b)%len(base62)])
			}
		}
	}
	return auth.APITokenPrefix + string(text) + checksum(string(text))
}

// checksum returns the CRC-32 of a text in base 62.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var out [checksumChars]byte
	for i := range out {
		out[checksumChars-1-i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(out[:])
}

// wellFormed reports whether a text has the form of a secret, with the right checksum. It is case-sensitive.
func wellFormed(secret string) bool {
	text, ok := strings.CutPrefix(secret, auth.APITokenPrefix)
	if !ok || len(secret) != SecretLength {
		return false
	}
	return checksum(text[:randomChars]) == text[randomChars:] && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(base62, r)
	})
}

// hash returns the stored form of a secret. A hash without a salt suffices: a secret has too many bits to be guessed.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
