package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"errand/graph"
	"errand/graph/generated"
	"errand/graph/transport"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/store"
	"errand/internal/telemetry"
	"errand/web"
)

// routes is the HTTP surface.
func (s *Server) routes(d services) (http.Handler, error) {
	known := auth.CacheUsers(d.users)
	graphql, origins, err := s.graphqlHandler(d, known)
	if err != nil {
		return nil, err
	}
	s.graphql = graphql
	mux := http.NewServeMux()
	assistants := s.mountMCP(mux, d, known)
	s.hub.OnGone(func(userID string) {
		known.Forget(userID)
		graphql.Disconnect(userID)
		assistants.Disconnect(userID)
	})
	mux.Handle("/graphql", origins.CORS(graphql))
	signIn, err := s.auth.SignInHandler(s.listener.Addr())
	if err == nil {
		mux.Handle(auth.SignInPath, signIn)
	}
	playground := web.Playground(web.PlaygroundOptions{DevSignIn: err == nil})
	mux.Handle("/playground", playground)
	mux.Handle("/playground/", playground)
	mux.Handle("GET /{$}", http.RedirectHandler("/playground", http.StatusFound))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health", s.health)
	if s.tracer != nil {
		return withRequestID(s.tracer.Join(mux)), nil
	}
	return withRequestID(mux), nil
}

func (s *Server) graphqlHandler(d services, known auth.Users) (*transport.Handler, *transport.Origins, error) {
	origins, err := transport.NewOrigins(s.cfg.Server.CORSOrigins)
	if err != nil {
		return nil, nil, err
	}
	manifest, err := openManifest(s.cfg.Server.PersistedQueriesFile)
	if err != nil {
		return nil, nil, err
	}
	resolver := &graph.Resolver{Users: d.users, Tasks: d.tasks, Chat: d.chat, Spend: d.spend, Hub: s.hub, Logger: s.log}
	authenticator := s.auth.Authenticator(auth.GraphQL, known)
	handler := transport.New(transport.Options{
		Schema:         generated.NewExecutableSchema(generated.Config{Resolvers: resolver}),
		Authenticate:   authenticator.Authenticate,
		ErrorPresenter: graph.PresentErrors(s.log),
		Prepare:        graph.WithBatch,
		Limits:         s.documentLimits(),
		Introspection:  s.cfg.IntrospectionEnabled(),
		Suggestions:    s.cfg.Environment != config.Production,
		Manifest:       manifest,
		Origins:        origins,
		Logger:         s.log,
		Observer: transport.Observer{
			Begin: s.beginOperation(), Operation: s.operation, SocketOpened: s.metrics.SocketOpened, SocketClosed: s.metrics.SocketClosed,
			SubscriptionOpened: s.metrics.SubscriptionOpened, SubscriptionClosed: s.metrics.SubscriptionClosed,
		},
		Times: transport.Times{
			Operation: s.cfg.Limits.RequestTimeout, Init: s.cfg.Limits.SocketInitTimeout, KeepAlive: s.cfg.Limits.SocketKeepalive,
		},
		Sizes: transport.Sizes{
			Body: int64(s.cfg.Limits.BodyBytes), Message: int64(s.cfg.Limits.SocketMessageBytes), Response: s.cfg.Limits.ResponseBytes, UserSockets: s.cfg.Limits.SocketsPerUser, SocketOperations: s.cfg.Limits.SubscriptionsPerSocket,
		},
	})
	return handler, origins, nil
}

// operation logs and counts what has been answered, without what was said.
func (s *Server) operation(ctx context.Context, r transport.Report) {
	s.metrics.Operation(r.Type, r.Name, r.Transport, string(r.Code), r.Latency)
	s.log.LogAttrs(ctx, slog.LevelInfo, "operation", slog.String("type", r.Type), slog.String("name", r.Name),
		slog.String("transport", r.Transport), slog.String("code", string(r.Code)),
		slog.Int64("latency_ms", r.Latency.Milliseconds()))
}

// health is what a load balancer asks: can this replica reach its database?
type health struct {
	Status     string     `json:"status"`
	DatabaseOK bool       `json:"database_ok"`
	PoolStatus store.Pool `json:"pool_status"`
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	report, status := health{Status: "ok", DatabaseOK: true, PoolStatus: s.db.Pool()}, http.StatusOK
	if err := s.db.Ping(ctx); err != nil {
		report.Status, report.DatabaseOK, status = "unavailable", false, http.StatusServiceUnavailable
		s.log.WarnContext(ctx, "the database does not answer", "error", err)
	}
	writeJSON(w, status, report)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has left
}

// withRequestID gives each request the id under which its logs are found.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := telemetry.WithRequestID(r.Context())
		w.Header().Set("X-Request-Id", telemetry.RequestID(ctx))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
