package graphqlhttp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"errand/graph/fastjson"
	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// engine checks requests and executes them through gqlgen's executor.
type engine struct {
	options   Options
	executor  *executor.Executor
	documents *documents
	shares    *shares
}

func newEngine(o Options) *engine {
	e := executor.New(o.Schema)
	e.SetErrorPresenter(o.ErrorPresenter)
	e.SetRecoverFunc(o.Recover)
	// The executor must not parse or validate: its document is the one already checked.
	e.SetQueryCache(checkedDocument{})
	for _, extension := range o.Extensions {
		e.Use(extension)
	}
	return &engine{
		options:  o,
		executor: e,
		shares:   newShares(),
		documents: &documents{
			schema:        o.Schema.Schema(),
			limits:        o.Limits,
			introspection: o.Introspection,
			suggestions:   o.Suggestions,
			manifest:      o.Manifest,
			cache:         newCache(o.Sizes.Documents),
		},
	}
}

type checkedKey struct{}

// checkedDocument hands the executor the document that the context carries.
type checkedDocument struct{}

// Get implements graphql.Cache.
func (checkedDocument) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	doc, ok := ctx.Value(checkedKey{}).(*ast.QueryDocument)
	return doc, ok
}

// Add implements graphql.Cache.
func (checkedDocument) Add(context.Context, string, *ast.QueryDocument) {}

// operation is a request that passed every check and may be executed once.
type operation struct {
	engine  *engine
	context *graphql.OperationContext
	kind    ast.Operation
	name    string
	hash    string // of the document
	cost    int
	// incremental says that the answer comes in parts, because of @defer.
	incremental bool
	// room is what the answer may still take; nil before there is a context.
	room    *fastjson.Budget
	started time.Time
	// observed ends what Observer.Begin began; nil before.
	observed func(Report)
}

// prepare checks r. With inParts, a query with @defer is set to answer in parts. The
// operation is never nil: a refused one still says what is known for the report.
func (e *engine) prepare(ctx context.Context, r request, inParts bool) (*operation, *problem) {
	op := &operation{engine: e, name: r.operationName, started: time.Now()}
	doc, p := e.documents.find(r)
	if p != nil {
		return op, p
	}
	tree := doc.whole
	definition, p := choose(tree, r.operationName)
	if p != nil {
		return op, p
	}
	op.kind, op.name, op.hash = definition.Operation, definition.Name, doc.hash
	if inParts && op.kind == ast.Query && doc.incremental != nil {
		op.incremental, tree = true, doc.incremental
		definition, _ = choose(tree, r.operationName) // which has the same operations
	}
	if err := e.options.Limits.CheckInput(r.variables); err != nil {
		return op, limitFault(err)
	}
	variables, p := coerceVariables(e.documents.schema, definition, r.variables)
	if p != nil {
		return op, p
	}
	var err error
	if op.cost, err = e.options.Limits.Estimate(definition, variables); err != nil {
		return op, limitFault(err)
	}
	if op.context, p = e.operationContext(ctx, tree, doc.text, r.operationName, variables); p == nil {
		op.bound()
	}
	return op, p
}

func (e *engine) operationContext(
	ctx context.Context, tree *ast.QueryDocument, text, name string, variables map[string]any,
) (*graphql.OperationContext, *problem) {
	params := &graphql.RawParams{Query: text, OperationName: name, Variables: variables}
	ctx = graphql.StartOperationTrace(context.WithValue(ctx, checkedKey{}, tree))
	opCtx, faults := e.executor.CreateOperationContext(ctx, params)
	if len(faults) > 0 {
		return nil, documentFaults(apperr.BadUserInput, faults)
	}
	opCtx.DisableIntrospection = !e.options.Introspection
	return opCtx, nil
}

// choose finds the operation that the request names (specification, section 6.1).
func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, *problem) {
	if name == "" && len(doc.Operations) == 1 {
		return doc.Operations[0], nil
	}
	if name == "" {
		return nil, &problem{errors: gqlerror.List{wire(apperr.Invalid("operationName",
			"The document holds %d operations; name one in operationName.", len(doc.Operations)))}}
	}
	for _, op := range doc.Operations {
		if op.Name == name {
			return op, nil
		}
	}
	return nil, &problem{errors: gqlerror.List{wire(apperr.Invalid("operationName",
		"The document has no operation of that name."))}}
}

// start begins the operation. Each call of the returned function gives the next
// response, nil after the last; ctx must be the one start returned or derive from it.
func (op *operation) start(
	ctx context.Context,
) (next func(context.Context) *graphql.Response, started context.Context) {
	defer op.catch(ctx, func(r *graphql.Response) {
		next, started = graphql.OneShot(r), ctx
	})
	if begin := op.engine.options.Observer.Begin; begin != nil {
		ctx, op.observed = begin(ctx, string(op.kind), op.label())
	}
	if op.kind == ast.Subscription {
		ctx = op.engine.options.Prepare(ctx) // its resolver runs now, a query's fields later
	}
	handler, started := op.engine.executor.DispatchOperation(ctx, op.context)
	return func(ctx context.Context) (response *graphql.Response) {
		defer op.catch(ctx, func(r *graphql.Response) { response = r })
		if op.kind == ast.Subscription {
			op.room.Reset() // each event is an answer
			ctx = op.belowStream(ctx)
		}
		return op.fitting(handler(op.engine.options.Prepare(ctx)))
	}, started
}

// belowStream is the context of one event of a subscription: gqlgen resolves it as if it had
// no field above, and the paths of its errors would lack their first element.
func (op *operation) belowStream(ctx context.Context) context.Context {
	root := op.engine.documents.root(op.kind).Name
	for _, field := range graphql.CollectFields(op.context, op.context.Operation.SelectionSet, []string{root}) {
		ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: root, Field: field})
	}
	return ctx
}

// catch turns a panic that no resolver's own recovery caught into a response: outside
// of net/http it would end the process.
func (op *operation) catch(ctx context.Context, respond func(*graphql.Response)) {
	if panicked := recover(); panicked != nil {
		err := op.engine.options.Recover(ctx, panicked)
		respond(&graphql.Response{Errors: gqlerror.List{op.engine.options.ErrorPresenter(ctx, err)}})
	}
}

// once executes a query or mutation that answers in one piece, within its deadline.
func (op *operation) once(ctx context.Context) *graphql.Response {
	ctx, cancel := context.WithTimeout(ctx, op.engine.options.Times.Operation)
	defer cancel()
	next, ctx := op.start(ctx)
	response := next(ctx)
	if response == nil {
		response = &graphql.Response{Errors: gqlerror.List{wire(apperr.From(endOf(ctx)))}}
	}
	op.addCost(response)
	return response
}

func endOf(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("the executor gave no response")
}

// addCost reports the estimate in extensions.cost.
func (op *operation) addCost(response *graphql.Response) {
	extensions := map[string]any{"cost": map[string]int{"requested": op.cost, "limit": op.engine.options.Limits.Cost}}
	for k, v := range response.Extensions {
		extensions[k] = v
	}
	response.Extensions = extensions
}

// report tells the observer how the operation went.
func (op *operation) report(ctx context.Context, transport string, code apperr.Code) {
	r := Report{
		Type:      string(op.kind),
		Name:      op.label(),
		Transport: transport,
		Code:      code,
		Latency:   time.Since(op.started),
		Cost:      op.cost,
	}
	if op.observed != nil {
		op.observed(r)
	}
	op.engine.options.Observer.operation(ctx, r)
}

// label is the operation's name, fit for logs; "" for a text that cannot be the name of one.
func (op *operation) label() string {
	if !validName.MatchString(op.name) {
		return ""
	}
	return fmt.Sprintf("%.100s", op.name)
}

// validName is a Name (specification, section 2.1.9).
var validName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)
