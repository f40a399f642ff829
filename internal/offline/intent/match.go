package intent

import (
	"slices"
	"strings"

	"errand/internal/due"
	"errand/internal/offline/pattern"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// clauseParser parses clauses of one message.
type clauseParser struct {
	now  due.Now
	lang *language
	// steps are the remaining attempts to match; no rule matches without any. They bound the cost of a message.
	steps *int
	// depth is the number of clauses within which this one is parsed: "i need to delete 1" has 1.
	depth int
	// named are the results of names by the first and last token.
	named map[[2]int]namesResult
}

// newParser returns a parser with the steps for a number of tokens.
func newParser(tokens int, now due.Now) *clauseParser {
	steps := minSteps + stepsPerToken*tokens
	return &clauseParser{now: now, lang: english, steps: &steps, named: map[[2]int]namesResult{}}
}

// maxDepth bounds depth.
const maxDepth = 3

// attempt matches rules with a clause. It implements pattern.Checker.
type attempt struct {
	*clauseParser
	pattern.Matcher
	head, request Request
}

// apply returns the request of the first rule that matches all of t.
func (p *clauseParser) apply(set *ruleSet, t text.Text) (Request, bool) {
	a := &attempt{clauseParser: p}
	a.Matcher = pattern.Matcher{Checker: a, Words: p.lang.Lexicon, Text: t}
	for _, n := range set.Candidates(t) {
		a.head, a.Pattern = set.heads[n], set.Patterns[n]
		if a.Match() {
			return a.request, true
		}
	}
	return Request{}, false
}

// Step implements pattern.Checker.
func (a *attempt) Step() bool {
	*a.steps--
	return *a.steps >= 0
}

// MayBegin implements pattern.Checker.
func (a *attempt) MayBegin(capture, word string) bool {
	return capture != "values" || a.startsValue(word)
}

// Accept implements pattern.Checker: it builds the request, the values of the head, then those of the captures. A
// command to a task that is not named concerns "it".
func (a *attempt) Accept(int) bool {
	*a.steps -= a.Text.Len()
	req := a.head
	req.free, req.explicit = req.Kind == Add, !req.loose && !(len(req.Refs) > 0 && req.Refs[0].Kind == Unnamed)
	for _, c := range a.Captures() {
		if c.Text.Len() > 0 && !a.fill(&req, c.Name, c.Text) {
			return false
		}
	}
	if len(req.Refs) == 0 && req.concernsTasks() {
		req.Refs = []Reference{{Kind: It, firm: true}}
	}
	a.request = req
	return !req.single || !slices.ContainsFunc(req.Refs, func(ref Reference) bool {
		return ref.Kind == Everything || ref.Kind == Unnamed
	})
}

// MayCapture implements pattern.Checker.
func (a *attempt) MayCapture(name string, t text.Text) bool {
	switch name {
	case "ref", "done":
		return t.Len() <= maxRefWords
	case "firm", "bare":
		return a.isFirm(t)
	case "values":
		return a.mayBeValues(t)
	case "span", "back":
		return t.Len() <= maxSpanWords && due.IsSpan(t.Keys())
	case "past", "deed", "list":
		return t.Len() == 1 && t.Tokens[0].Kind == text.Word
	case "hashtags":
		return !slices.ContainsFunc(t.Keys(), func(k string) bool {
			return !tasktext.IsLabel(k) && !a.lang.Is("joins", k)
		})
	case "short":
		return t.Len() <= maxTopicWords
	case "place":
		return a.lang.PhraseAt("placewhen", t, 0) > 0
	case "field":
		return a.lang.Value("field", strings.Join(t.Keys(), " ")) != ""
	case "count":
		return t.Len() == 1 && a.lang.count(t.Key(0)) > 0
	case "few":
		return t.Len() <= 4
	case "quoted", "note":
		return t.Len() == 1 && t.Tokens[0].Kind == text.Quoted
	case "one":
		return a.isFirm(t) || t.Tokens[0].Kind == text.Quoted
	}
	return true
}
