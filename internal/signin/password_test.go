package signin

import (
	"strings"
	"testing"
	"unicode/utf8"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestNormalizeLogin_AnyText_IsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringOfN(rapid.RuneFrom([]rune("aZäÄßẞſﬁΣςİıÅÅK０９._-@+ ·ǅ")), 1, 20, -1),
		).Draw(t, "text")
		normal, err := normalizeLogin(text)
		if err != nil {
			if apperr.From(err).Field != "login" || normal != "" {
				t.Fatalf("%q: %v, %q", text, err, normal)
			}
			return
		}
		again, err := normalizeLogin(normal)
		if err != nil || again != normal {
			t.Fatalf("%q becomes %q, and that %q: %v", text, normal, again, err)
		}
		spellings := []string{" " + text + " ", norm.NFC.String(text), norm.NFD.String(text), norm.NFKD.String(text)}
		for _, other := range spellings {
			if same, err := normalizeLogin(other); err != nil || same != normal {
				t.Fatalf("%q becomes %q, but %q becomes %q: %v", text, normal, other, same, err)
			}
		}
		if n := utf8.RuneCountInString(normal); n < 1 || n > MaxLogin || strings.ToLower(normal) != normal {
			t.Fatalf("%q becomes %q", text, normal)
		}
	})
}

func TestNormalizeLogin_ValidOrInvalid_ReturnsFormOrError(t *testing.T) {
	for text, want := range map[string]string{
		" Ada ": "ada", "ADA@Example.org": "ada@example.org", "a.b_c-d+e": "a.b_c-d+e", "ﬁne": "fine", "Ä": "ä",
		"A\u0308": "ä", "\u212bke": "åke", "０１": "01", "李": "李", strings.Repeat("x", 64): strings.Repeat("x", 64),
	} {
		got, err := normalizeLogin(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{
		"", " ", "a b", "a/b", "a\x00b", "a\u202eb", "\xff", "a\nb", strings.Repeat("x", 65), "😀", "a\u0301\u0301\u0301",
		"ada\u3164", "ada\uffa0", "\u115f",
	} {
		_, err := normalizeLogin(text)
		requireField(t, "login", err)
	}
}

func TestCheckName_Controls_AreDroppedOrInvalid(t *testing.T) {
	for text, want := range map[string]string{
		"": "", " Ada L. ": "Ada L.", "ada \u202erenwo": "ada renwo", "\u2066 Ada\u2069": "Ada",
		strings.Repeat("ä", MaxName): strings.Repeat("ä", MaxName),
	} {
		got, err := checkName(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"a\nb", "a\x1b[2J", "\xff", strings.Repeat("x", MaxName+1)} {
		_, err := checkName(text)
		requireField(t, "name", err)
	}
}

func TestCheckPassword_CommonOrWrongLength_IsRejected(t *testing.T) {
	for _, good := range []string{
		"correct horse battery", "tr0ub4dor&3", "日本語のパスワード", strings.Repeat("x y", 85), "love 0176 5551234", "       a",
	} {
		require.NoError(t, checkPassword("password", good, "ada"), good)
	}
	for _, bad := range []string{
		"", "short", "pässwor", "\xff\xff\xff\xff\xff\xff\xff\xff", "password", "Password1!", "PASSW0RD", "12345678",
		"87654321", "aaaaaaaa", "abcdefgh", "Qwertyuiop", "sunshine99", "ｐａｓｓｗｏｒｄ", strings.Repeat("x", 257),
		"tab\tseparated",
	} {
		requireField(t, "password", checkPassword("password", bad, "ada"))
	}
	requireField(t, "new", checkPassword("new", "ADA.Lovelace", "ada.lovelace"))
}

func TestPasswordHasher_Hash_VerifiesOnlyItsPassword(t *testing.T) {
	h := newPasswordHasher()
	hash, err := h.hash(t.Context(), "pa\u0308ssword")
	require.NoError(t, err)
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$`, hash)
	for password, want := range map[string]bool{"pa\u0308ssword": true, "pässword": true, "password": false, "": false} {
		ok, err := h.verify(t.Context(), &hash, password)
		require.NoError(t, err)
		require.Equal(t, want, ok, password)
	}
	ok, err := h.verify(t.Context(), nil, "")
	require.NoError(t, err)
	require.False(t, ok)
	for _, broken := range []string{
		"", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$2a$10$x", strings.Replace(hash, "m=19456", "m=99999999", 1),
		strings.Replace(hash, "argon2id", "argon2i", 1), strings.Replace(hash, "t=2", "t=x", 1),
	} {
		_, err := h.verify(t.Context(), &broken, "password")
		require.Error(t, err, broken)
	}
}

// Sign-ins beyond the slots wait until one is free.
func TestPasswordHasher_SlotsInUse_Waits(t *testing.T) {
	h := &passwordHasher{slots: make(chan struct{}, 1)}
	h.slots <- struct{}{}
	done := make(chan error, 1)
	go func() {
		_, err := h.hash(t.Context(), "password")
		done <- err
	}()
	require.Empty(t, done)
	<-h.slots
	require.NoError(t, <-done)
}

func TestNormalizeLogin_CombiningMarks_ComposedOrNamed(t *testing.T) {
	got, err := normalizeLogin("Rene\u0301")
	require.NoError(t, err)
	require.Equal(t, "ren\u00e9", got)
	for text, mark := range map[string]string{
		"q\u0301": "U+0301", "\u0301": "U+0301", "a\u0323\u0302x\u0332": "U+0332", "\u0928\u093f": "U+093F",
	} {
		_, err := normalizeLogin(text)
		requireField(t, "login", err)
		require.ErrorContains(t, err, "combining mark "+mark, text)
	}
}
