package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/mcp"
	"errand/internal/stream"
	"errand/internal/telemetry"
)

const mcpUsage = `errand mcp: the Model Context Protocol over standard input and output, for assistants on
this machine. It works on the database of DATABASE_URL, beside a running server or without one,
as one person:

  errand mcp --user NAME   anybody, in development, like "errand token --user NAME"
  ERRAND_TOKEN=… errand mcp   the bearer of a token meant for /mcp, verified as the server does

Give DATABASE_URL an absolute path: assistants start programs in folders of their own. Logs go to
standard error. Clients of a server on SQLite see these changes with their next one; with
PostgreSQL, at once.
`

// tokenVariable holds the token of "errand mcp". It is no setting of the server's.
const tokenVariable = "ERRAND_TOKEN"

// mountMCP serves the Model Context Protocol and tells clients where its tokens come from.
func (s *Server) mountMCP(mux *http.ServeMux, d services, known auth.Users) *mcp.Server {
	resource := auth.NewResource(s.cfg, mcp.Path, mcp.ScopeRead, mcp.ScopeWrite)
	server := s.newMCP(d)
	mux.Handle(mcp.Path, server.Handler(mcp.Guard{
		Identify: s.auth.Authenticator(auth.MCP, known).Identify, Resource: resource,
		OriginAllowed: s.cfg.OriginAllowed, PublicURL: s.cfg.Server.PublicURL, BodyBytes: int64(s.cfg.Limits.BodyBytes),
	}))
	mux.Handle(resource.MetadataPath(), resource.Metadata())
	mux.Handle(auth.MetadataPath, resource.Metadata())
	return server
}

func (s *Server) newMCP(d services) *mcp.Server {
	return mcp.New(mcp.Options{
		Tools: d.tools, Tasks: d.tasks, Conversations: d.chat, Hub: s.hub,
		Admit:   func(ctx context.Context) error { return d.users.AdmitCall(ctx, s.cfg.Limits.AssistantCallsPerMinute) },
		Timeout: s.cfg.Limits.RequestTimeout, Listens: s.cfg.Limits.SocketsPerUser,
		Observe: s.assistantAsked, Logger: s.log,
	})
}

// assistantAsked logs and counts what an assistant did, without what was said.
func (s *Server) assistantAsked(ctx context.Context, r mcp.Report) {
	if r.Method != mcp.MethodListen { // how long a subscription lasts says nothing about us
		s.metrics.Operation("mcp", r.Method, r.Transport, string(r.Code), r.Latency)
	}
	if r.Tool != "" {
		s.metrics.ToolCall(r.Tool, r.Latency, r.Code != "")
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "mcp", slog.String("method", r.Method), slog.String("tool_name", r.Tool),
		slog.String("client", r.Client), slog.String("transport", r.Transport), slog.String("code", string(r.Code)), slog.Int64("latency_ms", r.Latency.Milliseconds()))
}

// mcpCommand serves one local assistant until it leaves.
func mcpCommand(ctx context.Context, args []string, environ map[string]string, in io.ReadCloser, out, stderr io.Writer) (err error) {
	flags := newFlags("mcp", stderr)
	flags.Usage = func() { fmt.Fprint(stderr, mcpUsage) }
	user := flags.String("user", "", "act as this person of the development sign-in")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	cfg, err := config.Load(environ, ".env")
	if err != nil {
		return err
	}
	token, err := stdioToken(cfg, *user, environ[tokenVariable])
	if err != nil {
		return err
	}
	s := &Server{cfg: cfg, log: telemetry.NewLogger(stderr, cfg.Server.LogLevel), metrics: telemetry.NewMetrics()}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.ShutdownTimeout)
		defer cancel()
		err = errors.Join(err, s.Stop(stop))
	}()
	// A client that leaves is no reason to die halfway.
	signal.Ignore(syscall.SIGPIPE)
	return s.serveStdio(ctx, token, in, out)
}

// stdioToken is the token to act with: the given one, or a new one of the development sign-in.
func stdioToken(cfg config.Config, user, token string) (string, error) {
	switch {
	case user != "" && token != "":
		return "", fmt.Errorf("give --user or %s, not both", tokenVariable)
	case user != "":
		signer, err := auth.OpenDevSigner(cfg)
		if err != nil {
			return "", err
		}
		token, _, err = signer.Token(user, auth.MaxDevTokenTTL)
		return token, err
	case token != "":
		return token, nil
	default:
		return "", fmt.Errorf("say who acts: errand mcp --user alice in development, or a token in %s", tokenVariable)
	}
}

func (s *Server) serveStdio(ctx context.Context, token string, in io.ReadCloser, out io.Writer) (err error) {
	if err := s.openDatabase(ctx); err != nil {
		return err
	}
	s.hub = stream.NewHub()
	if s.auth, err = auth.New(s.cfg, s.log); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { s.auth.Close(); return nil })
	// Replies are for servers: nothing of the run engine is started here.
	d, _, err := s.wire()
	if err != nil {
		return err
	}
	if err := s.connectBus(ctx); err != nil {
		return err
	}
	verify, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	claims, userID, err := s.auth.Authenticator(auth.MCP, d.users).Identify(verify, token)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	return s.newMCP(d).ServeStdio(ctx, in, keepOpen{out}, mcp.NewCaller(claims, userID))
}

// keepOpen leaves the closing of a stream to its owner.
type keepOpen struct{ io.Writer }

// Close does nothing.
func (keepOpen) Close() error { return nil }
