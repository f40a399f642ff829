package graphqlhttp

import (
	"errors"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// document is a parsed document that passed every check; it is shared and never changed.
type document struct {
	hash string
	text string
	// whole is the document without @defer, for clients that take one answer.
	whole *ast.QueryDocument
	// incremental keeps @defer, for clients that take the answer in parts; nil when the
	// document has none.
	incremental *ast.QueryDocument
	// weight is the memory it takes in bytes, roughly.
	weight int
}

// documents turns request texts into valid documents.
type documents struct {
	schema        *ast.Schema
	limits        limits.Limits
	introspection bool
	suggestions   bool
	manifest      *Manifest
	cache         *cache
}

// find returns the document that r names, by its text or by its hash.
func (d *documents) find(r request) (*document, *problem) {
	text, hash := r.query, r.hash
	if text != "" {
		hash = hashOf(text)
	}
	if r.hash != "" && r.hash != hash {
		return nil, malformed("extensions.persistedQuery.sha256Hash is not the SHA-256 of the query.")
	}
	if d.manifest != nil {
		allowed, ok := d.manifest.documents[hash]
		if !ok {
			return nil, &problem{errors: gqlerror.List{wire(apperr.New(apperr.Forbidden,
				"This server runs only the documents on its allow-list, and this is not one of them."))}}
		}
		text = allowed
	}
	if doc := d.cache.get(hash); doc != nil {
		return doc, nil
	}
	if text == "" {
		return nil, persistedQueryNotFound()
	}
	doc, p := d.parse(text)
	if p != nil {
		return nil, p
	}
	doc.hash = hash
	d.cache.add(doc)
	return doc, nil
}

// root is the type at the top of operations of a kind.
func (d *documents) root(kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Mutation:
		return d.schema.Mutation
	case ast.Subscription:
		return d.schema.Subscription
	default:
		return d.schema.Query
	}
}

// persistedQueryNotFound is the signal, by message and by code, on which clients of the
// automatic persisted queries protocol send the whole document.
func persistedQueryNotFound() *problem {
	return &problem{errors: gqlerror.List{{
		Message:    "PersistedQueryNotFound",
		Extensions: map[string]any{"code": "PERSISTED_QUERY_NOT_FOUND"},
	}}}
}

// tokenWeight is the measured memory of a syntax tree in bytes per token.
const tokenWeight = 250

func (d *documents) parse(text string) (*document, *problem) {
	whole, tokens, p := d.check(text)
	if p != nil {
		return nil, p
	}
	doc := &document{text: text, whole: whole, weight: len(text) + tokens*tokenWeight}
	if !usesDefer(whole) {
		return doc, nil
	}
	// Two trees: the first loses its @defer, the second gets the type names that tell
	// which deferred fields a value of an abstract type is still to receive.
	if doc.incremental, _, p = d.check(text); p != nil {
		return nil, p
	}
	removeDefer(whole)
	addTypeNames(doc.incremental, d.schema)
	doc.weight *= 2
	return doc, nil
}

// check parses, counts and validates, in the order of what they cost.
func (d *documents) check(text string) (*ast.QueryDocument, int, *problem) {
	doc, tokens, err := d.limits.Parse(text)
	if err != nil {
		return nil, tokens, parseFault(err)
	}
	counts, err := d.limits.Check(doc)
	if err != nil {
		return nil, tokens, limitFault(err)
	}
	if counts.Introspection > 0 && !d.introspection {
		return nil, tokens, documentFaults(
			apperr.GraphQLValidateFailed,
			gqlerror.List{{Message: "Introspection is switched off on this server."}},
		)
	}
	if len(doc.Operations) == 0 {
		return nil, tokens, documentFaults(
			apperr.GraphQLValidateFailed,
			gqlerror.List{{Message: "The document holds no operation."}},
		)
	}
	if faults := validator.ValidateWithRules(d.schema, doc, d.rules()); len(faults) > 0 {
		return nil, tokens, documentFaults(apperr.GraphQLValidateFailed, faults)
	}
	return doc, tokens, nil
}

func parseFault(err error) *problem {
	var violation *limits.ExceededError
	if errors.As(err, &violation) {
		return limitFault(err)
	}
	var fault *gqlerror.Error
	if !errors.As(err, &fault) {
		fault = &gqlerror.Error{Message: "The document cannot be parsed."}
	}
	return documentFaults(apperr.GraphQLParseFailed, gqlerror.List{fault})
}

func (d *documents) rules() *rules.Rules {
	set := rules.NewDefaultRules()
	if d.suggestions {
		return set
	}
	for name, silent := range map[string]validator.Rule{
		"FieldsOnCorrectType": rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		"KnownArgumentNames":  rules.KnownArgumentNamesRuleWithoutSuggestions,
		"KnownTypeNames":      rules.KnownTypeNamesRuleWithoutSuggestions,
		"ScalarLeafs":         rules.ScalarLeafsRuleWithoutSuggestions,
		"ValuesOfCorrectType": rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		set.RemoveRule(name)
		set.AddRule(silent.Name, silent.RuleFunc)
	}
	return set
}
