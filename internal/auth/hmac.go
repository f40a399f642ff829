package auth

import "context"

// sharedKey gives the same secret for every token; checker lets only HS256 through to it.
func sharedKey(secret []byte) keyFor {
	return func(context.Context, string, string) (any, error) { return secret, nil }
}

var sharedAlgorithms = []string{"HS256"}

// either accepts tokens of two kinds, told apart by their algorithm: a token that the
// first refuses for any other reason never gets a second chance.
type either struct{ first, second Verifier }

// Verify implements Verifier.
func (e either) Verify(ctx context.Context, token string) (Claims, error) {
	claims, err := e.first.Verify(ctx, token)
	if ReasonOf(err) == BadAlgorithm {
		return e.second.Verify(ctx, token)
	}
	return claims, err
}
