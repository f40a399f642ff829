package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"errand/internal/auth"
	"errand/internal/mcp"
)

// mountMCP serves the Model Context Protocol and tells clients where its tokens come from.
func (s *Server) mountMCP(mux *http.ServeMux, d Services, known auth.UserStore) {
	resource := auth.NewProtectedResource(s.Config, mcp.Path, mcp.ScopeRead, mcp.ScopeWrite)
	s.MCP = s.newMCP(d)
	mux.Handle(mcp.Path, s.MCP.Handler(mcp.Guard{
		Identify: s.Auth.Authenticator(auth.MCP, known).Identify, Resource: resource,
		OriginAllowed: s.Config.OriginAllowed, PublicURL: s.Config.Server.PublicURL, BodyBytes: int64(s.Config.Limits.BodyBytes),
	}))
	mux.Handle(resource.MetadataPath(), resource.Metadata())
	mux.Handle(auth.MetadataPath, resource.Metadata())
}

func (s *Server) newMCP(d Services) *mcp.Server {
	return mcp.New(mcp.Options{
		Tools: d.Tools, Tasks: d.Tasks, Conversations: d.Chat, Hub: s.Hub,
		Admit: func(ctx context.Context) error {
			return d.Accounts.AllowCall(ctx, s.Config.Limits.MCPCallsPerMinute)
		},
		Timeout: s.Config.Limits.RequestTimeout, Listens: s.Config.Limits.SocketsPerUser,
		Observe: s.assistantAsked, Logger: s.Log,
	})
}

// assistantAsked logs and counts what an assistant did, without what was said.
func (s *Server) assistantAsked(ctx context.Context, r mcp.Report) {
	if r.Method != mcp.MethodListen { // how long a subscription lasts says nothing about us
		s.Metrics.Operation("mcp", r.Method, r.Transport, string(r.Code), r.Latency)
	}
	if r.Tool != "" {
		s.Metrics.ToolCall(r.Tool, r.Latency, r.Code != "")
	}
	s.Log.LogAttrs(
		ctx,
		slog.LevelInfo,
		"mcp",
		slog.String("method", r.Method),
		slog.String("tool_name", r.Tool),
		slog.String(
			"client",
			r.Client,
		),
		slog.String("transport", r.Transport),
		slog.String("code", string(r.Code)),
		slog.Int64("latency_ms", r.Latency.Milliseconds()),
	)
}

// ServeMCP serves one local assistant over in and out until it leaves, as the holder of
// token. The server must come from Open; replies are written by serving processes alone.
func (s *Server) ServeMCP(ctx context.Context, token string, in io.ReadCloser, out io.Writer) error {
	if err := s.openAuth(); err != nil {
		return err
	}
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	verify, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	claims, userID, err := s.Auth.Authenticator(auth.MCP, s.Services.Accounts).Identify(verify, token)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	return s.newMCP(s.Services).ServeStdio(ctx, in, keepOpen{out}, mcp.NewCaller(claims, userID))
}

// keepOpen leaves the closing of a stream to its owner.
type keepOpen struct{ io.Writer }

// Close does nothing.
func (keepOpen) Close() error { return nil }
