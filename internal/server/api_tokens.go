package server

import (
	"context"

	"errand/internal/apitoken"
	"errand/internal/auth"
)

// acceptAPITokens makes every surface accept API tokens, and stores their uses in the background until Stop.
func (s *Server) acceptAPITokens() {
	s.tokens = apitoken.NewVerifier(s.DB.Client(), s.Revoked.Contains, s.Log)
	s.Auth.AcceptPrefix(auth.APITokenPrefix, s.tokens)
	s.Revoked.AddSource(s.tokens.Revoked)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.onStop("uses of API tokens", 1, func(context.Context) error { cancel(); <-done; return nil })
	go func() {
		defer close(done)
		s.tokens.Run(ctx)
	}()
}
