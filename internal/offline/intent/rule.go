package intent

import (
	"slices"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// rule builds a request from a matching clause. When build rejects a match, the next possible match is tried.
type rule struct {
	pattern text.Pattern
	build   builder
}

type builder func(c text.Captures, now due.Now) (Request, bool)

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

func apply(rules []rule, t text.Text, now due.Now) (Request, bool) {
	for _, r := range rules {
		var req Request
		c := text.Captures{}
		accept := func() (ok bool) {
			req, ok = r.build(c, now)
			return ok
		}
		if r.pattern.Try(t, c, accept) {
			return req, true
		}
	}
	return Request{}, false
}

// maxPhrase is the maximum length of the words to search for, in characters.
const maxPhrase = 100

// maxRefWords is the maximum number of words that name tasks.
const maxRefWords = 60

// about builds a request for the tasks that the text names.
func about(kind Kind, t text.Text, now due.Now) (Request, bool) {
	if t.Len() > maxRefWords {
		return Request{}, false
	}
	refs := references(t, now)
	for _, r := range refs {
		if utf8.RuneCountInString(r.Phrase) > maxPhrase {
			return Request{}, false
		}
	}
	return Request{Kind: kind, Refs: refs, explicit: firm(refs)}, len(refs) > 0
}

// aboutFirm is about for wordings that refer to a task only when the reference is unambiguous.
func aboutFirm(kind Kind, t text.Text, now due.Now) (Request, bool) {
	req, ok := about(kind, t, now)
	return req, ok && req.explicit
}

// target builds a request of a kind for <ref>.
func target(kind Kind) builder {
	return func(c text.Captures, now due.Now) (Request, bool) { return about(kind, c["ref"], now) }
}

func firmTarget(kind Kind) builder {
	return func(c text.Captures, now due.Now) (Request, bool) { return aboutFirm(kind, c["ref"], now) }
}

// fixedFields builds an update of <ref> with fixed values.
func fixedFields(f Fields) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		req, ok := about(Update, c["ref"], now)
		req.Fields = f
		return req, ok
	}
}

// singleTarget is firmTarget without "all" and "my tasks": "all done" is not a command.
func singleTarget(kind Kind) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		req, ok := aboutFirm(kind, c["ref"], now)
		return req, ok && !whole(req.Refs)
	}
}

// whole reports whether the references mean all tasks.
func whole(refs []Reference) bool {
	return slices.ContainsFunc(refs, func(r Reference) bool { return r.Kind == Everything })
}

// pointed reports whether all references are numbers, positions or pronouns, not descriptions.
func pointed(refs []Reference) bool {
	for _, r := range refs {
		if r.Kind != ByNumber && !r.Contextual() || r.Kind == Unnamed {
			return false
		}
	}
	return len(refs) > 0
}

// showTarget is singleTarget for references that are not descriptions; those become listings.
func showTarget(c text.Captures, now due.Now) (Request, bool) {
	req, ok := singleTarget(Show)(c, now)
	for _, r := range req.Refs {
		ok = ok && (r.Kind != BySearch || r.Exact)
	}
	return req, ok
}

// describedTarget builds a request to show a task named by words: "when is the dentist appointment?"
func describedTarget(c text.Captures, now due.Now) (Request, bool) {
	req, ok := about(Show, c["ref"], now)
	return req, ok && !whole(req.Refs) &&
		!slices.ContainsFunc(req.Refs, func(r Reference) bool { return r.Kind == Unnamed })
}

// unnamed builds a request that does not name its task.
func unnamed(kind Kind) builder {
	return func(text.Captures, due.Now) (Request, bool) {
		return Request{Kind: kind, Refs: []Reference{{Kind: Unnamed}}}, true
	}
}
