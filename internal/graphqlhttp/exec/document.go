package exec

import (
	"errors"
	"maps"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/limits"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// document is a parsed document that passed every check. It is shared between requests and never changed.
type document struct {
	hash string
	text string
	// single is the document without @defer, for clients that take one response.
	single *ast.QueryDocument
	// incremental is the document with @defer, for clients that take incremental delivery; nil without @defer.
	incremental *ast.QueryDocument
	// bytes is the approximate memory of the document.
	bytes int
}

// documentStore returns valid documents for request texts and hashes.
type documentStore struct {
	schema        *ast.Schema
	limits        limits.Limits
	introspection bool
	suggestions   bool
	manifest      *Manifest
	cache         *documentCache
}

// find returns the document that r names by its text or its hash. Without a manifest, a hash alone names only a
// document that a signed-in user has registered under it by sending both, and only for signed-in users. Documents of
// anonymous requests are not cached, so that they cannot evict those of users.
func (s *documentStore) find(r Request, signedIn bool) (*document, *RequestError) {
	if r.DocumentID != "" && s.manifest != nil {
		r.Hash = s.manifest.ids[r.DocumentID]
	}
	text, hash := r.Query, r.Hash
	if text != "" {
		hash = hashDocument(text)
	}
	if r.Hash != "" && r.Hash != hash {
		return nil, BadRequest("The hash in documentId or extensions.persistedQuery is not the SHA-256 of the query.")
	}
	if s.manifest != nil {
		allowed, ok := s.manifest.documents[hash]
		if !ok {
			return nil, NewRequestError(0, apperr.New(apperr.Forbidden,
				"The document is not on this server's allow-list."))
		}
		text = allowed
	}
	if text == "" {
		if doc := s.cache.registered(hash); doc != nil && signedIn {
			return doc, nil
		}
		return nil, persistedQueryNotFound()
	}
	register := signedIn && r.Hash != ""
	if doc := s.cache.get(hash, register); doc != nil {
		return doc, nil
	}
	doc, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	doc.hash = hash
	if signedIn || s.manifest != nil {
		s.cache.add(doc, register)
	}
	return doc, nil
}

// rootType returns the root type of operations of a kind.
func (s *documentStore) rootType(kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Mutation:
		return s.schema.Mutation
	case ast.Subscription:
		return s.schema.Subscription
	default:
		return s.schema.Query
	}
}

// persistedQueryNotFound is the error whose message and code make clients of the automatic persisted queries protocol
// send the whole document.
func persistedQueryNotFound() *RequestError {
	return &RequestError{Errors: gqlerror.List{{
		Message:    "PersistedQueryNotFound",
		Extensions: map[string]any{"code": "PERSISTED_QUERY_NOT_FOUND"},
	}}}
}

// bytesPerToken is the measured memory of a syntax tree per token.
const bytesPerToken = 250

func (s *documentStore) parse(text string) (*document, *RequestError) {
	single, tokens, err := s.check(text)
	if err != nil {
		return nil, err
	}
	doc := &document{text: text, single: single, bytes: len(text) + tokens*bytesPerToken}
	if !usesDefer(single) {
		return doc, nil
	}
	// Two trees: the first loses its @defer, the second gets the type names that determine which deferred fields of
	// a value of an abstract type are still pending.
	if doc.incremental, _, err = s.check(text); err != nil {
		return nil, err
	}
	removeDefer(single)
	addTypeNames(doc.incremental, s.schema)
	doc.bytes *= 2
	return doc, nil
}

// check parses, counts and validates a text, the cheapest checks first.
func (s *documentStore) check(text string) (*ast.QueryDocument, int, *RequestError) {
	doc, tokens, err := s.limits.Parse(text)
	if err != nil {
		return nil, tokens, parseError(err)
	}
	counts, err := s.limits.Check(doc)
	if err != nil {
		return nil, tokens, limitError(err)
	}
	switch {
	case counts.Introspection > 0 && !s.introspection:
		return nil, tokens, invalidDocument("Introspection is disabled on this server.")
	case len(doc.Operations) == 0:
		return nil, tokens, invalidDocument("The document has no operation.")
	}
	if errs := validator.ValidateWithRules(s.schema, doc, s.rules()); len(errs) > 0 {
		return nil, tokens, documentError(apperr.GraphQLValidateFailed, errs)
	}
	normaliseLiterals(doc)
	return doc, tokens, nil
}

func invalidDocument(message string) *RequestError {
	return documentError(apperr.GraphQLValidateFailed, gqlerror.List{{Message: message}})
}

func parseError(err error) *RequestError {
	var exceeded *limits.ExceededError
	if errors.As(err, &exceeded) {
		return limitError(err)
	}
	var syntax *gqlerror.Error
	if !errors.As(err, &syntax) {
		syntax = &gqlerror.Error{Message: "The document cannot be parsed."}
	}
	return documentError(apperr.GraphQLParseFailed, gqlerror.List{syntax})
}

func (s *documentStore) rules() *rules.Rules {
	set := rules.NewDefaultRules()
	replaced := map[string]validator.Rule{
		rules.ValuesOfCorrectTypeRule.Name:      literalRule(s.suggestions),
		rules.SingleFieldSubscriptionsRule.Name: subscriptionRule(),
	}
	if !s.suggestions {
		maps.Copy(replaced, map[string]validator.Rule{
			"FieldsOnCorrectType": rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
			"KnownArgumentNames":  rules.KnownArgumentNamesRuleWithoutSuggestions,
			"KnownTypeNames":      rules.KnownTypeNamesRuleWithoutSuggestions,
			"ScalarLeafs":         rules.ScalarLeafsRuleWithoutSuggestions,
		})
	}
	for name, rule := range replaced {
		set.RemoveRule(name)
		set.AddRule(rule.Name, rule.RuleFunc)
	}
	return set
}
