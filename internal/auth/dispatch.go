package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"errand/internal/auth/bearer"
)

// dispatcher chooses the one verifier of a token by its form: API tokens by their prefix, JSON Web Tokens by their
// issuer. Each key is thereby bound to its issuer: a token that names an issuer of this server is verified with the
// keys of that issuer only.
type dispatcher struct {
	prefixes map[string]Verifier
	issuers  map[string]Verifier
	// other verifies the tokens of other issuers; nil if none are accepted.
	other Verifier
}

// Verify implements Verifier.
func (d *dispatcher) Verify(ctx context.Context, token string) (Claims, error) {
	if len(token) > bearer.MaxBytes {
		return Claims{}, unauthenticated(ReasonTooLong)
	}
	for prefix, v := range d.prefixes {
		if strings.HasPrefix(token, prefix) {
			return v.Verify(ctx, token)
		}
	}
	if len(d.issuers) == 0 && d.other != nil {
		return d.other.Verify(ctx, token) // whatever its issuer is, which would be decoded twice
	}
	issuer, isJWT := unverifiedIssuer(token)
	switch v := d.issuers[issuer]; {
	case v != nil:
		return v.Verify(ctx, token)
	case d.other != nil:
		return d.other.Verify(ctx, token)
	case !isJWT:
		return Claims{}, unauthenticated(ReasonMalformed)
	default:
		return Claims{}, unauthenticated(ReasonWrongIssuer)
	}
}

// unverifiedIssuer returns the "iss" claim of a JSON Web Token whose signature was not checked, "" for none.
func unverifiedIssuer(token string) (issuer string, isJWT bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	// A map matches names exactly, as the verifier does.
	var claims map[string]any
	if json.Unmarshal(payload, &claims) != nil {
		return "", false
	}
	issuer, _ = claims["iss"].(string)
	return issuer, true
}

// AcceptIssuer makes all surfaces verify the tokens of an issuer of this server with v, and with nothing else. Call it
// before Verifier and Authenticator.
func (s *Service) AcceptIssuer(issuer string, v Verifier) {
	for _, d := range s.dispatchers() {
		d.issuers[issuer] = v
	}
}

// AcceptPrefix makes all surfaces verify the tokens that begin with a prefix with v, and with nothing else. No prefix
// may be one of another. Call it before Verifier and Authenticator.
func (s *Service) AcceptPrefix(prefix string, v Verifier) {
	for _, d := range s.dispatchers() {
		d.prefixes[prefix] = v
	}
}

// dispatchers returns the dispatchers of all surfaces.
func (s *Service) dispatchers() []*dispatcher {
	return []*dispatcher{s.dispatcher(GraphQL), s.dispatcher(MCP)}
}

// dispatcher returns the dispatcher of a surface, which it puts before the surface's verifier the first time.
func (s *Service) dispatcher(surface Surface) *dispatcher {
	if d, ok := s.verifiers[surface].(*dispatcher); ok {
		return d
	}
	d := &dispatcher{
		prefixes: map[string]Verifier{},
		issuers:  map[string]Verifier{},
		other:    s.verifiers[surface],
	}
	s.verifiers[surface] = d
	return d
}
