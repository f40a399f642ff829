package auth

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"errand/internal/apperr"

	"github.com/golang-jwt/jwt/v5"
)

// FuzzParseKeySet checks that no key set crashes the parser, and that each key is either usable or has a reason.
func FuzzParseKeySet(f *testing.F) {
	for _, seed := range []string{
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA","n":"AQAB","e":"AQAB","x5c":7}]}`,
		`{"keys":[null,{},[],{"kid":1},{"key_ops":["verify",null]},{"use":"enc"}]}`, `{"keys":null}`, "\xef\xbb\xbf{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseKeySet(body)
		if set == nil {
			if err == nil {
				t.Fatal("neither keys nor an error")
			}
			return
		}
		var published struct{ Keys []json.RawMessage }
		if json.Unmarshal(body, &published) == nil && len(set.keys)+len(set.skipped) != len(published.Keys) {
			t.Fatalf("%d keys, %d used, %d skipped", len(published.Keys), len(set.keys), len(set.skipped))
		}
		for _, key := range set.keys {
			if len(key.algorithms) == 0 || key.key == nil {
				t.Fatal("a key without an algorithm")
			}
		}
		for _, key := range set.skipped {
			if key.Reason == "" || len(key.ID) > 110 {
				t.Fatal("a skipped key without a reason, or with a long ID")
			}
		}
	})
}

// FuzzVerify_SignedClaims checks that no header and claims, though signed, crash the verification or the details for
// the log.
func FuzzVerify_SignedClaims(f *testing.F) {
	f.Add(`{"alg":"HS256","typ":"at+JWT"}`, `{"sub":"u","exp":1e10,"aud":["a",7,[]],"azp":7,"name":[],"scope":{}}`)
	f.Add(`{"alg":"HS256","kid":7,"crit":null}`, `{"iss":null,"exp":1e300,"iat":"x","nbf":-1}`)
	f.Add(`{"alg":"Ed25519"}`, `null`)
	f.Fuzz(func(t *testing.T, header, claims string) {
		signed := base64url(header) + "." + base64url(claims)
		signature, err := jwt.SigningMethodHS256.Sign(signed, []byte(testSecret))
		if err != nil {
			t.Fatal(err)
		}
		token := signed + "." + base64url(string(signature))
		for _, rules := range []tokenRules{
			{}, {issuer: "i", audience: []string{"a"}}, {parties: []string{"p"}, audience: []string{"a"}},
		} {
			rules.algorithms, rules.now = secretAlgorithms, time.Now
			_, err := newJWTVerifier(rules, secretKey(testSecret)).Verify(t.Context(), token)
			if err == nil {
				continue
			}
			if apperr.CodeOf(err) != apperr.Unauthenticated {
				t.Fatal(err)
			}
			reason := ReasonOf(err)
			if reason.RefusalReason() == "" {
				t.Fatal("no label for", reason)
			}
			if e, ok := apperr.From(err).Unwrap().(interface{ RefusalDetails() []slog.Attr }); ok {
				for _, attr := range e.RefusalDetails() {
					if len(attr.Value.String()) > 500 {
						t.Fatal("long detail", attr)
					}
				}
			}
		}
	})
}
