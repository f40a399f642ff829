package auth

import "context"

// secretKeyFunc gives the same secret for every token; checker lets only HS256 through to it.
func secretKeyFunc(secret []byte) keyFunc {
	return func(context.Context, string, string) (any, error) { return secret, nil }
}

var secretAlgorithms = []string{"HS256"}

// combinedVerifier accepts tokens of two kinds, told apart by their algorithm: a token that the
// first refuses for any other reason never gets a second chance.
type combinedVerifier struct{ first, second Verifier }

// Verify implements Verifier.
func (e combinedVerifier) Verify(ctx context.Context, token string) (Claims, error) {
	claims, err := e.first.Verify(ctx, token)
	if ReasonOf(err) == ReasonBadAlgorithm {
		return e.second.Verify(ctx, token)
	}
	return claims, err
}
