package intent

import (
	"time"
	"unicode/utf8"

	"errand/internal/llm/rules/text"
)

// rule turns a matching clause into a request; build may still refuse it.
type rule struct {
	pattern text.Pattern
	build   builder
}

type builder func(c text.Captures, now time.Time) (Request, bool)

func on(build builder, list ...string) []rule {
	rs := make([]rule, len(list))
	for i, s := range list {
		rs[i] = rule{text.Compile(s), build}
	}
	return rs
}

func join(groups ...[]rule) []rule {
	var all []rule
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

func apply(rules []rule, t text.Text, now time.Time) (Request, bool) {
	for _, r := range rules {
		if c, ok := r.pattern.Match(t); ok {
			if req, ok := r.build(c, now); ok {
				return req, true
			}
		}
	}
	return Request{}, false
}

// maxPhrase bounds the words to search for, in characters.
const maxPhrase = 100

// about makes a request about the tasks that the text names.
func about(kind Kind, t text.Text) (Request, bool) {
	refs := references(t)
	for _, r := range refs {
		if utf8.RuneCountInString(r.Phrase) > maxPhrase {
			return Request{}, false
		}
	}
	return Request{Kind: kind, Refs: refs, explicit: firm(refs)}, len(refs) > 0
}

// aboutFirm is about, for wordings that mean a task only when it is unmistakable.
func aboutFirm(kind Kind, t text.Text) (Request, bool) {
	req, ok := about(kind, t)
	return req, ok && req.explicit
}

// target builds a request of one kind about <ref>.
func target(kind Kind) builder {
	return func(c text.Captures, _ time.Time) (Request, bool) { return about(kind, c["ref"]) }
}

func firmTarget(kind Kind) builder {
	return func(c text.Captures, _ time.Time) (Request, bool) { return aboutFirm(kind, c["ref"]) }
}

// fixedFields builds an update of <ref> with fixed values.
func fixedFields(f Fields) builder {
	return func(c text.Captures, _ time.Time) (Request, bool) {
		req, ok := about(Update, c["ref"])
		req.Fields = f
		return req, ok
	}
}

// singleTarget is firmTarget without "all" and "my tasks": "all done" is no order.
func singleTarget(kind Kind) builder {
	return func(c text.Captures, _ time.Time) (Request, bool) {
		req, ok := aboutFirm(kind, c["ref"])
		for _, r := range req.Refs {
			ok = ok && r.Kind != Everything
		}
		return req, ok
	}
}

// showTarget is singleTarget for tasks that are pointed at; descriptions are left to List.
func showTarget(c text.Captures, now time.Time) (Request, bool) {
	req, ok := singleTarget(Show)(c, now)
	for _, r := range req.Refs {
		ok = ok && (r.Kind != BySearch || r.Exact)
	}
	return req, ok
}
