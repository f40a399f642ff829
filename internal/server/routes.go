package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"errand/graph"
	"errand/graph/generated"
	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/graphqlhttp"
	"errand/internal/store"
	"errand/internal/telemetry"
	"errand/web"
)

// routes is the HTTP surface.
func (s *Server) routes(d Services) (http.Handler, error) {
	known := auth.NewUserCache(d.Accounts)
	graphql, origins, err := s.graphqlHandler(d, known)
	if err != nil {
		return nil, err
	}
	s.graphql = graphql
	mux := http.NewServeMux()
	s.mountMCP(mux, d, known)
	s.Hub.OnGone(func(userID string) {
		known.Evict(userID)
		graphql.Disconnect(userID)
		s.MCP.Disconnect(userID)
	})
	mux.Handle("/graphql", origins.CORS(graphql))
	signIn, err := s.Auth.DevSignInHandler(s.listener.Addr())
	if err == nil {
		mux.Handle(auth.DevSignInPath, signIn)
	}
	playground := web.Playground(web.PlaygroundOptions{DevSignIn: err == nil})
	mux.Handle("/playground", playground)
	mux.Handle("/playground/", playground)
	mux.Handle("GET /{$}", http.RedirectHandler("/playground", http.StatusFound))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health", s.health)
	if s.Tracer != nil {
		return withRequestID(s.Tracer.ExtractParent(mux)), nil
	}
	return withRequestID(mux), nil
}

func (s *Server) graphqlHandler(d Services, known auth.UserStore) (*graphqlhttp.Handler, *graphqlhttp.Origins, error) {
	origins, err := graphqlhttp.NewOrigins(s.Config.Server.CORSOrigins)
	if err != nil {
		return nil, nil, err
	}
	manifest, err := openManifest(s.Config.Server.PersistedQueriesFile)
	if err != nil {
		return nil, nil, err
	}
	resolver := &graph.Resolver{Accounts: d.Accounts, Tasks: d.Tasks, Chat: d.Chat, Usage: d.Usage, Hub: s.Hub}
	authenticator := s.Auth.Authenticator(auth.GraphQL, known)
	handler := graphqlhttp.New(graphqlhttp.Options{
		Schema:         generated.NewExecutableSchema(generated.Config{Resolvers: resolver}),
		Authenticate:   authenticator.Authenticate,
		ErrorPresenter: graph.ErrorPresenter(s.Log),
		Prepare:        graph.WithDataloaders,
		Limits:         s.documentLimits(),
		Introspection:  s.Config.IntrospectionEnabled(),
		Suggestions:    s.Config.Environment != config.Production,
		Manifest:       manifest,
		Origins:        origins,
		Logger:         s.Log,
		Observer: graphqlhttp.Observer{
			Begin: s.beginOperation(), Operation: s.operation, SocketOpened: s.Metrics.SocketOpened, SocketClosed: s.Metrics.SocketClosed,
			SubscriptionOpened: s.Metrics.SubscriptionOpened, SubscriptionClosed: s.Metrics.SubscriptionClosed,
		},
		Times: graphqlhttp.Times{
			Operation: s.Config.Limits.RequestTimeout, Init: s.Config.Limits.SocketInitTimeout, KeepAlive: s.Config.Limits.SocketKeepalive,
		},
		Sizes: graphqlhttp.Sizes{
			Body: int64(
				s.Config.Limits.BodyBytes,
			), Message: int64(s.Config.Limits.SocketMessageBytes), Response: s.Config.Limits.ResponseBytes, UserSockets: s.Config.Limits.SocketsPerUser, SocketOperations: s.Config.Limits.SubscriptionsPerSocket,
		},
	})
	return handler, origins, nil
}

// operation logs and counts what has been answered, without what was said.
func (s *Server) operation(ctx context.Context, r graphqlhttp.Report) {
	s.Metrics.Operation(r.Type, r.Name, r.Transport, string(r.Code), r.Latency)
	s.Log.LogAttrs(ctx, slog.LevelInfo, "operation", slog.String("type", r.Type), slog.String("name", r.Name),
		slog.String("transport", r.Transport), slog.String("code", string(r.Code)),
		slog.Int64("latency_ms", r.Latency.Milliseconds()))
}

// health is what a load balancer asks: can this replica reach its database?
type health struct {
	Status     string     `json:"status"`
	DatabaseOK bool       `json:"database_ok"`
	PoolStatus store.PoolStats `json:"pool_status"`
}

func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	report, status := health{Status: "ok", DatabaseOK: true, PoolStatus: s.DB.PoolStats()}, http.StatusOK
	if err := s.DB.Ping(ctx); err != nil {
		report.Status, report.DatabaseOK, status = "unavailable", false, http.StatusServiceUnavailable
		s.Log.WarnContext(ctx, "the database does not answer", "error", err)
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
