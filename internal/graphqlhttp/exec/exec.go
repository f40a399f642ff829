// Package exec decodes, checks and executes GraphQL requests for all transports.
//
// A request takes these steps: a Decoder decodes it, Engine.Prepare finds or parses and validates its document, coerces
// the variables and estimates the cost, and the Operation is executed by Execute (query or mutation),
// ExecuteIncremental (query with @defer) or a Subscription. The formats of the transports are those of packages
// graphqlhttp and ws, which use an Engine; this package uses neither.
package exec

import (
	"context"
	"log/slog"
	"time"

	"errand/internal/graphqlhttp/limits"
	"errand/internal/refusal"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
)

// Authenticate verifies a token. It returns the context in which the user's operations run, the user's ID, and when
// the token expires (zero: never). The ErrorPresenter turns its error into the client's; the code UNAUTHENTICATED
// means that the token is invalid.
type Authenticate func(ctx context.Context, token string) (
	authenticated context.Context, userID string, expires time.Time, err error)

// Options configure an Engine. Schema and Authenticate are required; other fields that are zero have the defaults
// documented beside them, which are those of the environment variables in .env.example where there is one.
type Options struct {
	Schema       graphql.ExecutableSchema
	Authenticate Authenticate
	// AfterRevoked calls fn in its own goroutine when a credential is revoked, until stop is called. Nil means that
	// credentials are never revoked.
	AfterRevoked func(credentialID string, fn func()) (stop func())

	// ErrorPresenter and Recover are gqlgen's hooks for errors and panics of resolvers. By default errors other than
	// *apperr.Error, and panics, are logged and reported to the client as INTERNAL_SERVER_ERROR.
	ErrorPresenter graphql.ErrorPresenterFunc
	Recover        graphql.RecoverFunc
	// ResetDataloaders gives an operation new dataloaders before each execution (a query, a mutation, or one event of a
	// subscription): they cache rows and must therefore not outlive it.
	ResetDataloaders func(*graphql.OperationContext)

	// Limits of documents; fields that are zero are those of limits.Default.
	Limits limits.Limits
	// Introspection allows __schema and __type.
	Introspection bool
	// Suggestions adds "Did you mean" to validation errors.
	Suggestions bool
	// Manifest is the allow-list of documents. Nil allows all.
	Manifest *Manifest

	// OperationTimeout is the maximum duration of a query or mutation: REQUEST_TIMEOUT, 30 s.
	OperationTimeout time.Duration
	// ResponseBytes is the maximum size of a response and of an event of a subscription: MAX_RESPONSE_BYTES, 1.5 MiB.
	// A field of the root type limits its own size; only its subfields are counted.
	ResponseBytes int
	// DocumentCacheBytes is the approximate memory for parsed documents. 32 MiB.
	DocumentCacheBytes int
	// SubscriptionsPerUser is the maximum number of a user's live subscriptions on all transports:
	// MAX_SUBSCRIPTIONS_PER_USER, 256. The costs of different ones may add up to four times Limits.Cost.
	SubscriptionsPerUser int
	// VariableValues is the maximum number of values in the variables of a request. 10,000.
	VariableValues int

	// Logger receives internal errors, but never documents, variables or tokens. slog.Default().
	Logger   *slog.Logger
	Observer Observer
	// Refusals records refused tokens, origins and hosts. Nil records nothing.
	Refusals *refusal.Recorder
}

// WithDefaults returns o with the documented defaults.
func (o Options) WithDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.ResetDataloaders == nil {
		o.ResetDataloaders = func(*graphql.OperationContext) {}
	}
	if o.ErrorPresenter == nil {
		o.ErrorPresenter = presentError(o.Logger)
	}
	if o.Recover == nil {
		o.Recover = recoverPanic(o.Logger)
	}
	o.Limits = o.Limits.Filled()
	o.Observer = o.Observer.withDefaults()
	SetDefault(&o.OperationTimeout, 30*time.Second)
	SetDefault(&o.ResponseBytes, 3<<19)
	SetDefault(&o.DocumentCacheBytes, 32<<20)
	SetDefault(&o.SubscriptionsPerUser, 256)
	SetDefault(&o.VariableValues, 10000)
	return o
}

// subscriptionCosts limits the costs of a user's subscriptions, as a multiple of the cost of one operation.
const subscriptionCosts = 4

// SetDefault sets an option that is zero.
func SetDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

// Engine checks GraphQL requests and executes them with gqlgen's executor. It is safe for concurrent use.
type Engine struct {
	Decoder

	options   Options
	executor  *executor.Executor
	documents *documentStore
	shared    *sharedExecutions

	subscriptions *subscriptionLimiter
}

// New returns an engine. It panics without Schema or Authenticate.
func New(o Options) *Engine {
	if o.Schema == nil || o.Authenticate == nil {
		panic("exec: Options.Schema and Options.Authenticate are required")
	}
	o = o.WithDefaults()
	e := executor.New(o.Schema)
	e.SetErrorPresenter(o.ErrorPresenter)
	e.SetRecoverFunc(o.Recover)
	return &Engine{
		Decoder:       Decoder{VariableValues: o.VariableValues},
		options:       o,
		executor:      e,
		shared:        newSharedExecutions(),
		subscriptions: newSubscriptionLimiter(o.SubscriptionsPerUser, subscriptionCosts*max(o.Limits.Cost, 0)),
		documents: &documentStore{
			schema:        o.Schema.Schema(),
			limits:        o.Limits,
			introspection: o.Introspection,
			suggestions:   o.Suggestions,
			manifest:      o.Manifest,
			cache:         newDocumentCache(o.DocumentCacheBytes),
		},
	}
}

// Observer returns the engine's observer, none of whose functions is nil.
func (e *Engine) Observer() Observer { return e.options.Observer }

// Refusals returns the recorder of refused requests, which may be nil.
func (e *Engine) Refusals() *refusal.Recorder { return e.options.Refusals }
