package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"errand/internal/auth"
	"errand/internal/mcp"
)

// stdioSignInTimeout limits the verification of the token of ServeMCP, which may fetch signing keys.
const stdioSignInTimeout = 30 * time.Second

// mountMCP adds the MCP endpoint and the OAuth protected resource metadata (RFC 9728).
func (s *Server) mountMCP(mux *http.ServeMux, users auth.UserStore) {
	resource := auth.NewProtectedResource(s.Config, mcp.Path, mcp.ScopeRead, mcp.ScopeWrite)
	mux.Handle(mcp.Path, s.MCP.Handler(mcp.Guard{
		Identify:      s.Auth.Authenticator(auth.MCP, users).Identify,
		Resource:      resource,
		OriginAllowed: s.Config.OriginAllowed,
		PublicURL:     s.Config.Server.PublicURL,
		BodyBytes:     int64(s.Config.Limits.BodyBytes),
	}))
	mux.Handle(resource.MetadataPath(), resource.Metadata())
	mux.Handle(auth.MetadataPath, resource.Metadata())
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
		OnRequest:        s.observer().observeMCP,
		Logger:           s.Log,
	})
}

// ServeMCP serves one MCP client over in and out until in ends, as the user of token. s must come from [Open]: a
// process that serves stdio writes no replies.
func (s *Server) ServeMCP(ctx context.Context, token string, in io.ReadCloser, out io.Writer) error {
	if err := s.openAuth(); err != nil {
		return err
	}
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	verify, cancel := context.WithTimeout(ctx, stdioSignInTimeout)
	defer cancel()
	claims, userID, err := s.Auth.Authenticator(auth.MCP, s.Services.Accounts).Identify(verify, token)
	if err != nil {
		return fmt.Errorf("verifying the token: %w", err)
	}
	return s.newMCPServer().ServeStdio(ctx, in, nopCloser{out}, mcp.NewCaller(claims, userID))
}

// nopCloser is a writer that is not closed by the MCP library; its owner closes it.
type nopCloser struct{ io.Writer }

// Close does nothing.
func (nopCloser) Close() error { return nil }
