package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/graphqlhttp/connlimit"
	"errand/internal/mcp"
	"errand/internal/refusal"
	"errand/internal/viewer"
)

// stdioSignInTimeout limits the verification of the token of ServeMCP, which may fetch signing keys.
const stdioSignInTimeout = 30 * time.Second

// mountMCP adds the MCP endpoint and the OAuth protected resource metadata (RFC 9728).
func (s *Server) mountMCP(mux *http.ServeMux, users auth.UserStore) {
	resource := auth.NewProtectedResource(s.Config, mcp.Path, mcp.Scopes()...)
	mux.Handle(mcp.Path, s.MCP.Handler(mcp.Guard{
		Authenticate: s.authenticateMCP(users),
		Admit:        admitRequests(s.Config.Limits.RequestsPerUser),
		Resource:     resource,
		PublicURL:    s.Config.Server.PublicURL,
		BodyBytes:    int64(s.Config.Limits.BodyBytes),
		Refusals:     s.refusals,
	}))
	for _, path := range resource.MetadataPaths() {
		mux.Handle(path, resource.Metadata())
	}
}

// authenticateMCP returns the function that verifies tokens for /mcp.
func (s *Server) authenticateMCP(users auth.UserStore) func(context.Context, string) (context.Context, error) {
	authenticate := authenticateConn(s.Auth.Authenticator(auth.MCP, users).Authenticate)
	return func(ctx context.Context, token string) (context.Context, error) {
		ctx, _, _, err := authenticate(ctx, token)
		return ctx, err
	}
}

// admitRequests returns the function that counts the MCP requests of each user in progress.
func admitRequests(perUser int) func(context.Context) (release func(), err error) {
	limiter := connlimit.New(0, perUser)
	return func(ctx context.Context) (func(), error) {
		v, err := viewer.Require(ctx)
		if err != nil {
			return nil, err
		}
		limiter.Acquire() // without a limit in total
		if !limiter.Assign(v.UserID) {
			limiter.Release("")
			return nil, apperr.TooMany(time.Second, "At most %d MCP requests of a user may be in progress.", perUser)
		}
		return func() { limiter.Release(v.UserID) }, nil
	}
}

func (s *Server) newMCPServer() *mcp.Server {
	return mcp.New(mcp.Options{
		Tools:         s.Services.Tools,
		Tasks:         s.Services.Tasks,
		Conversations: s.Services.Chat,
		Hub:           s.Hub,
		CheckRateLimit: func(ctx context.Context) error {
			return s.Services.Accounts.AllowCall(ctx, s.Config.Limits.MCPCallsPerMinute)
		},
		Timeout:          s.Config.Limits.RequestTimeout,
		MaxSubscriptions: s.Config.Limits.SocketsPerUser,
		MaxChanges:       s.Config.Turns.MaxChanges,
		AfterRevoked:     s.Revoked.AfterRevoked,
		OnRequest:        s.observer().observeMCP,
		Logger:           s.Log,
	})
}

// ServeMCP serves one MCP client over in and out until in ends, as the user of token. s must come from [Open]: a
// process that serves stdio writes no replies.
func (s *Server) ServeMCP(ctx context.Context, token string, in io.ReadCloser, out io.Writer) error {
	if err := s.openAuth(ctx); err != nil {
		return err
	}
	if err := s.watchRevocations(ctx); err != nil {
		return err
	}
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	verify, cancel := context.WithTimeout(ctx, stdioSignInTimeout)
	defer cancel()
	verified, err := s.authenticateMCP(s.Services.Accounts)(verify, token)
	if err != nil {
		s.refusals.Token(ctx, refusal.MCP, refusal.Stdio, "", err)
		return fmt.Errorf("verifying the token: %w", err)
	}
	v, err := viewer.Require(verified)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(viewer.NewContext(ctx, v))
	defer end()
	defer s.Revoked.AfterRevoked(v.CredentialID, end)()
	return s.newMCPServer().ServeStdio(ctx, in, nopCloser{out})
}

// nopCloser is a writer that is not closed by the MCP library; its owner closes it.
type nopCloser struct{ io.Writer }

// Close does nothing.
func (nopCloser) Close() error { return nil }
