package server

import (
	"net/http"

	"errand/graph"
	"errand/graph/generated"
	"errand/internal/auth"
	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/ws"
	"errand/internal/serverinfo"
	"errand/internal/telemetry"
)

// routes builds the handlers of all paths of the public listener.
func (s *Server) routes() (http.Handler, error) {
	users := auth.NewUserCache(s.Services.Accounts)
	devSignIn, err := s.Auth.DevSignInHandler(s.listener.Addr(), s.refusals)
	devSignInEnabled := err == nil // an error is the reason for which it is off
	if s.graphql, err = s.newGraphQLHandler(users, s.info(devSignInEnabled)); err != nil {
		return nil, err
	}
	s.MCP = s.newMCPServer()
	s.Hub.OnAccountDeleted(func(userID string) {
		users.Evict(userID)
		s.tokens.Evict(userID)
		s.graphql.Disconnect(userID)
		s.MCP.Disconnect(userID)
	})

	mux := http.NewServeMux()
	mux.Handle(graphqlPath, s.graphql)
	s.mountMCP(mux, users)
	s.mountSignIn(mux, users)
	if devSignInEnabled {
		mux.Handle(auth.DevSignInPath, devSignIn)
	}
	s.mountApp(mux)
	s.mountPlayground(mux, devSignInEnabled)
	mux.HandleFunc("GET /livez", serveLiveness)
	var handler http.Handler = mux
	mux.Handle("GET /health", s.health)
	if s.Tracer != nil {
		handler = s.Tracer.ExtractParent(mux)
	}
	handler = withoutPrefix(s.Config.Server.PathPrefix(), s.originPolicy().Wrap(handler))
	return s.behindProxies(withRequestID(handler)), nil
}

func (s *Server) newGraphQLHandler(users auth.UserStore, info *serverinfo.Info) (*graphqlhttp.Handler, error) {
	manifest, err := readManifest(s.Config.Server.PersistedQueriesFile)
	if err != nil {
		return nil, err
	}
	resolver := &graph.Resolver{
		Accounts: s.Services.Accounts,
		Tokens:   s.Services.Tokens,
		Tasks:    s.Services.Tasks,
		Chat:     s.Services.Chat,
		Usage:    s.Services.Usage,
		Hub:      s.Hub,
		Info:     info,
	}
	engine := exec.New(exec.Options{
		Schema:           generated.NewExecutableSchema(generated.Config{Resolvers: resolver}),
		Authenticate:     authenticateConn(s.Auth.Authenticator(auth.GraphQL, users).Authenticate),
		AfterRevoked:     s.Revoked.AfterRevoked,
		ErrorPresenter:   graph.ErrorPresenter(s.Log),
		ResetDataloaders: graph.ResetDataloaders,
		Limits:           documentLimits(s.Config.Limits),
		Introspection:    s.Config.IntrospectionEnabled(),
		Suggestions:      s.Config.IntrospectionEnabled(),
		Manifest:         manifest,
		OperationTimeout: s.Config.Limits.RequestTimeout,
		ResponseBytes:    s.Config.Limits.ResponseBytes,
		Logger:           s.Log,
		Refusals:         s.refusals,

		SubscriptionsPerUser: s.Config.Limits.SubscriptionsPerUser,

		Observer: exec.Observer{
			Begin:              s.observer().traceOperations(),
			Operation:          s.observer().observeOperation,
			SocketOpened:       s.Metrics.SocketOpened,
			SocketClosed:       s.Metrics.SocketClosed,
			SubscriptionOpened: s.Metrics.SubscriptionOpened,
			SubscriptionClosed: s.Metrics.SubscriptionClosed,
		},
	})
	return graphqlhttp.New(engine, graphqlhttp.Options{
		Playground:      s.playgroundLink(),
		BodyBytes:       int64(s.Config.Limits.BodyBytes),
		WriteTimeout:    s.Config.Connections.WriteTimeout,
		StreamsPerUser:  s.Config.Limits.SocketsPerUser,
		RequestsPerUser: s.Config.Limits.RequestsPerUser,
		KeepAlive:       s.Config.Limits.SocketKeepalive,
		Socket: ws.Options{
			MessageBytes:        int64(s.Config.Limits.SocketMessageBytes),
			OperationsPerSocket: s.Config.Limits.SubscriptionsPerSocket,
			SocketsPerUser:      s.Config.Limits.SocketsPerUser,
			WriteTimeout:        s.Config.Connections.WriteTimeout,
			InitTimeout:         s.Config.Limits.SocketInitTimeout,
			KeepAlive:           s.Config.Limits.SocketKeepalive,
		},
	}), nil
}

// withRequestID adds a request id to the context, which logs contain, and to the response.
func withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := telemetry.WithRequestID(r.Context())
		w.Header().Set("X-Request-Id", telemetry.RequestID(ctx))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
