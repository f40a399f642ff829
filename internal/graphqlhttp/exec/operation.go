package exec

import (
	"context"
	"errors"
	"iter"
	"maps"
	"regexp"
	"time"

	"errand/graph/fastjson"
	"errand/internal/apperr"
	"errand/internal/truncate"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Operation is a request that passed all checks. It can be executed once, by Execute, ExecuteIncremental or a
// Subscription.
type Operation struct {
	// Kind is "" when the document was rejected.
	Kind ast.Operation
	// Incremental means that the response is delivered incrementally, because of @defer.
	Incremental bool

	engine  *Engine
	context *graphql.OperationContext
	name    string
	hash    string // of the document
	cost    int
	// budget is nil when the request was rejected.
	budget *fastjson.Budget
	// streamed is nil when the request was rejected.
	streamed *streamedValues
	started  time.Time
	// endObserved ends what Observer.Begin began; nil before.
	endObserved func(Report)
}

// Prepare checks the request of a user. With incremental, the response to a query with @defer will be delivered
// incrementally. The operation is never nil: that of a rejected request holds what is known for its Report.
func (e *Engine) Prepare(r Request, user Identity, incremental bool) (*Operation, *RequestError) {
	op := &Operation{engine: e, name: r.OperationName, started: time.Now()}
	doc, err := e.documents.find(r, user.UserID != "")
	if err != nil {
		return op, err
	}
	tree := doc.single
	definition, err := selectOperation(tree, r.OperationName)
	if err != nil {
		return op, err
	}
	op.Kind, op.name, op.hash = definition.Operation, definition.Name, doc.hash
	if incremental && op.Kind == ast.Query && doc.incremental != nil {
		op.Incremental, tree = true, doc.incremental
		definition, _ = selectOperation(tree, r.OperationName) // both trees have the same operations
	}
	if err := e.options.Limits.CheckInput(r.Variables); err != nil {
		return op, limitError(err)
	}
	variables, err := coerceVariables(e.documents.schema, definition, r.Variables)
	if err != nil {
		return op, err
	}
	if err := checkNullVariables(definition, variables); err != nil {
		return op, err
	}
	cost, limitErr := e.options.Limits.Estimate(definition, variables)
	if op.cost = cost; limitErr != nil {
		return op, limitError(limitErr)
	}
	op.context = &graphql.OperationContext{
		RawQuery:               doc.text,
		OperationName:          r.OperationName,
		Doc:                    tree,
		Operation:              definition,
		Variables:              variables,
		DisableIntrospection:   !e.options.Introspection,
		RecoverFunc:            e.options.Recover,
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
		Stats:                  graphql.Stats{OperationStart: op.started},
	}
	if err := op.checkSubscriptionRoot(); err != nil {
		return op, err
	}
	op.streamed = &streamedValues{maxBytes: e.options.ResponseBytes}
	op.context.Stats.SetExtension(streamedKey, op.streamed)
	op.budget = attachBudget(op.context, e.documents.rootType(op.Kind).Name, e.options.ResponseBytes)
	return op, nil
}

// selectOperation returns the operation that the request names (specification, section 6.1).
func selectOperation(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *RequestError) {
	if name == "" && len(doc.Operations) == 1 {
		return doc.Operations[0], nil
	}
	if name == "" {
		return nil, NewRequestError(0, apperr.Invalid("operationName",
			"The document has %d operations; name one in operationName.", len(doc.Operations)))
	}
	for _, op := range doc.Operations {
		if op.Name == name {
			return op, nil
		}
	}
	return nil, NewRequestError(0, apperr.Invalid("operationName", "The document has no operation of that name."))
}

// dispatch starts the operation. Each call of next returns the next response, nil after the last; its context must be
// started or derive from it.
func (op *Operation) dispatch(ctx context.Context) (
	next func(context.Context) *graphql.Response, started context.Context,
) {
	defer op.recoverPanic(ctx, func(r *graphql.Response) {
		next, started = graphql.OneShot(r), ctx
	})
	ctx, op.endObserved = op.engine.options.Observer.Begin(ctx, string(op.Kind), op.label())
	op.engine.options.ResetDataloaders(op.context)
	handler, started := op.engine.executor.DispatchOperation(ctx, op.context)
	return func(ctx context.Context) (response *graphql.Response) {
		defer op.recoverPanic(ctx, func(r *graphql.Response) { response = r })
		if op.Kind == ast.Subscription {
			op.budget.Reset() // the budget and the dataloaders are those of one event
			op.engine.options.ResetDataloaders(op.context)
			ctx = op.withRootField(ctx)
		}
		response = handler(ctx)
		return enforceBudget(op.budget, response, op.Kind, op.engine.options.ResponseBytes)
	}, started
}

// withRootField returns the context of one event of a subscription. gqlgen resolves an event as if it had no field
// above it, so that the paths of its errors would lack their first element.
func (op *Operation) withRootField(ctx context.Context) context.Context {
	root := op.engine.documents.rootType(op.Kind).Name
	for _, field := range graphql.CollectFields(op.context, op.context.Operation.SelectionSet, []string{root}) {
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root, Field: field})
	}
	return ctx
}

// recoverPanic must be deferred. It turns a panic that gqlgen did not recover into a response: outside of net/http the
// panic would end the process.
func (op *Operation) recoverPanic(ctx context.Context, respond func(*graphql.Response)) {
	if panicked := recover(); panicked != nil {
		err := op.engine.options.Recover(ctx, panicked)
		respond(ErrorResponse(op.engine.options.ErrorPresenter(ctx, err)))
	}
}

// Execute executes a query or mutation within OperationTimeout and returns its only response.
func (op *Operation) Execute(ctx context.Context) *graphql.Response {
	ctx, cancel := context.WithTimeout(ctx, op.engine.options.OperationTimeout)
	defer cancel()
	next, ctx := op.dispatch(ctx)
	response := next(ctx)
	if response == nil {
		err := ctx.Err()
		if err == nil {
			err = errors.New("the executor returned no response")
		}
		response = ErrorResponse(ToGraphQLError(apperr.From(err)))
	}
	op.addCost(response)
	return response
}

// WithTimeout returns the context of a query that ends after OperationTimeout, for ExecuteIncremental.
func (e *Engine) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, e.options.OperationTimeout)
}

// ExecuteIncremental executes a query with @defer. It yields the initial response, then each deferred group, also when
// ctx has ended: gqlgen's goroutines of deferred groups wait until their results are received. The end of ctx ends the
// contexts of the resolvers instead. A loop that breaks discards the other responses but waits for them.
func (op *Operation) ExecuteIncremental(ctx context.Context) iter.Seq[*graphql.Response] {
	return func(yield func(*graphql.Response) bool) {
		cancelResolvers(op.context, ctx)
		next, started := op.dispatch(context.WithoutCancel(ctx))
		initial, receiving := true, true
		for response := next(started); response != nil; response = next(started) {
			if initial {
				op.addCost(response)
				initial = false
			}
			receiving = receiving && yield(response)
		}
	}
}

// ReuseMemory makes Execute write the response into memory of earlier ones. The caller calls release when it has
// written a response with data.
func (op *Operation) ReuseMemory() (release func()) {
	if op.budget == nil {
		return func() {}
	}
	return op.budget.ReuseMemory()
}

// Context returns gqlgen's context of the operation. The caller must not change it.
func (op *Operation) Context() *graphql.OperationContext { return op.context }

// Schema returns the schema of the operation's engine.
func (op *Operation) Schema() *ast.Schema { return op.engine.documents.schema }

// addCost reports the estimated cost in extensions.cost.
func (op *Operation) addCost(response *graphql.Response) {
	extensions := map[string]any{"cost": map[string]int{"requested": op.cost, "limit": op.engine.options.Limits.Cost}}
	maps.Copy(extensions, response.Extensions)
	response.Extensions = extensions
}

// Report passes the end of the operation to the observer. code is that of the first error, or "".
func (op *Operation) Report(ctx context.Context, transport string, code apperr.Code) {
	r := Report{
		Type:      string(op.Kind),
		Name:      op.label(),
		Transport: transport,
		Code:      code,
		Latency:   time.Since(op.started),
		Cost:      op.cost,
	}
	if op.endObserved != nil {
		op.endObserved(r)
	}
	op.engine.options.Observer.Operation(ctx, r)
}

// label returns the operation's name for logs, "" when it is not a valid name.
func (op *Operation) label() string {
	if !validName.MatchString(op.name) {
		return ""
	}
	return truncate.Bytes(op.name, 100)
}

// validName matches a Name (specification, section 2.1.9).
var validName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)
