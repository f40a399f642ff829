package graphqlhttp

import (
	"context"
	"log/slog"
	"time"

	"errand/internal/graphqlhttp/limits"

	"github.com/99designs/gqlgen/graphql"
)

// Authenticate verifies a token and returns the context in which its holder acts, the
// holder's id, and when the token ends (zero: never). Its error is shown to the client
// when it is an *apperr.Error and redacted otherwise; the code UNAUTHENTICATED means a
// bad token.
type Authenticate func(ctx context.Context, token string) (authenticated context.Context, userID string, expires time.Time, err error)

// Options configures a Handler. Schema and Authenticate are required; every other zero
// field takes the default named beside it.
type Options struct {
	Schema       graphql.ExecutableSchema
	Authenticate Authenticate

	// ErrorPresenter and Recover are gqlgen's hooks for errors and panics of resolvers.
	ErrorPresenter graphql.ErrorPresenterFunc
	Recover        graphql.RecoverFunc
	// Extensions are further gqlgen extensions, outermost first.
	Extensions []graphql.HandlerExtension
	// Prepare returns the context of one execution: a query, a mutation, or one event of a
	// subscription. Loaders that remember rows belong here.
	Prepare func(ctx context.Context) context.Context

	// Limits bound each document; zero fields take limits.Default.
	Limits limits.Limits
	// Introspection answers __schema and __type. Off by default.
	Introspection bool
	// Suggestions adds "Did you mean" to validation errors. Off by default.
	Suggestions bool
	// Manifest, when set, is the only source of documents: everything else is refused.
	Manifest *Manifest
	// Origins are the foreign browser origins that may call. Nil allows none.
	Origins *Origins

	// Logger receives what goes wrong inside; never documents, variables or tokens. slog.Default.
	Logger *slog.Logger
	// Observer is told about operations and connections; its zero value watches nothing.
	Observer Observer

	Times Times
	Sizes Sizes
}

// Times are the handler's time limits.
type Times struct {
	// Operation ends a query or mutation. 30 s.
	Operation time.Duration
	// Body is how long a request body may take to arrive. 15 s.
	Body time.Duration
	// Write is how long one write to a client may take. 15 s.
	Write time.Duration
	// Init is how long a socket may wait before connection_init. 10 s.
	Init time.Duration
	// KeepAlive is the pause between pings, SSE comments and multipart heartbeats; a socket
	// from which nothing came for two and a half of them is dead. 20 s.
	KeepAlive time.Duration
	// SlowReader is how long a full write queue may stay full before its socket is cut. 10 s.
	SlowReader time.Duration
	// Close is how long a peer may take to read and answer a close frame. 3 s.
	Close time.Duration
	// TokenNotice is how long before its end a socket is told that its token ends. 60 s.
	TokenNotice time.Duration
}

// Sizes are the handler's space limits.
type Sizes struct {
	// Body is the largest request body in bytes. 1 MiB.
	Body int64
	// Message is the largest WebSocket message in bytes, of those who have said who they are. 256 KiB.
	Message int64
	// Response is the largest answer, and the largest event of a subscription, in bytes. What a field
	// at the top answers by itself (not by its subfields) is left to that field. 1.5 MiB.
	Response int
	// Queue is how many bytes may wait to be written to one socket. 256 KiB.
	Queue int
	// SocketOperations is the number of live operations on one socket. 100.
	SocketOperations int
	// UserSockets is the number of sockets one user may have open. 50.
	UserSockets int
	// Sockets is the number of sockets open at all. 20,000.
	Sockets int
	// Streams is the number of SSE and multipart streams one user may have open. 50.
	Streams int
	// Documents is the memory for parsed documents in bytes, roughly. 32 MiB.
	Documents int
	// Compress is the smallest response in bytes that is compressed. 1400.
	Compress int
	// VariableValues is the number of values in the variables of a request. 10,000.
	VariableValues int
}

func (o Options) filled() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Origins == nil {
		o.Origins = &Origins{}
	}
	if o.Prepare == nil {
		o.Prepare = func(ctx context.Context) context.Context { return ctx }
	}
	if o.ErrorPresenter == nil {
		o.ErrorPresenter = o.presentSafely
	}
	if o.Recover == nil {
		o.Recover = o.recovered
	}
	o.Limits = o.Limits.Filled()
	o.Times = o.Times.filled()
	o.Sizes = o.Sizes.filled()
	return o
}

func (t Times) filled() Times {
	fill(&t.Operation, 30*time.Second)
	fill(&t.Body, 15*time.Second)
	fill(&t.Write, 15*time.Second)
	fill(&t.Init, 10*time.Second)
	fill(&t.KeepAlive, 20*time.Second)
	fill(&t.SlowReader, 10*time.Second)
	fill(&t.Close, 3*time.Second)
	fill(&t.TokenNotice, time.Minute)
	return t
}

func (s Sizes) filled() Sizes {
	fill(&s.Body, 1<<20)
	fill(&s.Message, 256<<10)
	fill(&s.Response, 3<<19)
	fill(&s.Queue, 256<<10)
	fill(&s.SocketOperations, 100)
	fill(&s.UserSockets, 50)
	fill(&s.Sockets, 20000)
	fill(&s.Streams, 50)
	fill(&s.Documents, 32<<20)
	fill(&s.Compress, 1400)
	fill(&s.VariableValues, 10000)
	return s
}

func fill[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}
