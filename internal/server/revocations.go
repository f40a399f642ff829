package server

import (
	"context"

	"errand/internal/stream"
)

// credentialRevoked ends the use of a sign-in session or API token on the other replicas.
func (p publisher) credentialRevoked(id string) {
	p.hub.Publish(stream.Event{Kind: stream.CredentialRevoked, ID: id})
}

// watchRevocations reads the revoked credentials and keeps the set up to date until Stop.
func (s *Server) watchRevocations(ctx context.Context) error {
	if err := s.Revoked.Poll(ctx); err != nil {
		return err
	}
	polling, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.onStop("revoked credentials", 1, func(context.Context) error { cancel(); <-done; return nil })
	go func() {
		defer close(done)
		s.Revoked.Run(polling)
	}()
	return nil
}
