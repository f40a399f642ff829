package apitoken

import (
	"log/slog"
	"strings"
	"testing"

	"errand/internal/auth"

	"github.com/stretchr/testify/require"
)

func TestNewSecret_Many_AreDistinctAndWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		secret := newSecret()
		require.Len(t, secret, 47)
		require.Regexp(t, `^errand_[0-9A-Za-z]{40}$`, secret)
		require.True(t, wellFormed(secret))
		require.False(t, seen[secret])
		seen[secret] = true
	}
}

// The checksum must stay as it is: scanners of other products know it.
func TestWellFormed_KnownSecret_HasItsChecksum(t *testing.T) {
	require.True(t, wellFormed("errand_"+strings.Repeat("0", randomChars)+checksum(strings.Repeat("0", randomChars))))
	require.Equal(t, "4B35tI", checksum(strings.Repeat("a", randomChars)))
}

// A verifier without a database shows that no query is executed.
func TestVerifyAPIToken_Mistyped_IsRejectedWithoutQuery(t *testing.T) {
	v := NewVerifier(nil, nil, slog.New(slog.DiscardHandler))
	secret := newSecret()
	swapped := []byte(secret)
	for i := 8; i < len(swapped); i++ { // the first pair of different characters
		if swapped[i] != swapped[i-1] {
			swapped[i], swapped[i-1] = swapped[i-1], swapped[i]
			break
		}
	}
	for name, token := range map[string]string{
		"truncated":       secret[:len(secret)-1],
		"too long":        secret + "0",
		"prefix only":     auth.APITokenPrefix,
		"empty":           "",
		"upper case":      auth.APITokenPrefix + strings.ToUpper(secret[len(auth.APITokenPrefix):]),
		"lower case":      strings.ToLower(secret),
		"upper prefix":    strings.ToUpper(auth.APITokenPrefix) + secret[len(auth.APITokenPrefix):],
		"swapped":         string(swapped),
		"other character": secret[:20] + "-" + secret[21:],
		"wide character":  secret[:20] + "é" + secret[22:],
	} {
		_, err := v.Verify(t.Context(), token)
		require.Equal(t, auth.ReasonMistyped, auth.ReasonOf(err), name)
		if len(token) > len(auth.APITokenPrefix) {
			require.NotContains(t, err.Error(), token, name)
		}
	}
}
