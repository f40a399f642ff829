package intent

import (
	"slices"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// Answer is a reply to the question "which one?" or "shall I?".
type Answer struct {
	Yes, No bool
	// Refs are the tasks that the answer names.
	Refs []Reference
}

var (
	yes = patterns(
		"yes|yeah|yep|yup|sure|ok|okay|y|correct|right|exactly|absolutely|definitely|confirm|confirmed|affirmative|aye [,] [please|do|sure|thanks|thank_you] [it|that|so]",
		"go ahead",
		"do it|that|so",
		"please do",
	)
	no = patterns(
		"no|nope|nah|n|cancel|stop|neither|none|nothing|nevermind|never_mind|forget_it|dont|do_not|no_thanks [,] [of] "+
			"[them|these|those|it|thanks|thank_you|that|please|do_it]",
		"no , <rest>",
		"leave|keep <them>",
		"not now",
	)
)

// ReadAnswer parses a short message as an answer. A message that is a request itself is not an answer.
func ReadAnswer(message string, now due.Now) (Answer, bool) {
	whole := text.Tokenize(text.Clean(message)).Trim()
	if whole.Len() == 0 || whole.Len() > 20 {
		return Answer{}, false
	}
	if _, ok := strip(whole, no); ok {
		return Answer{No: true}, !orders(whole, now)
	}
	polite := withoutCourtesy(whole)
	if _, ok := strip(whole, yes); ok && (polite.Len() <= 2 || whole.Len() <= 3) {
		return Answer{Yes: true}, true
	}
	if !readsNothing(polite, now) {
		return Answer{}, false
	}
	for _, p := range pointing {
		if c, ok := p.Match(polite); ok {
			polite = c["rest"]
		}
	}
	return Answer{Refs: references(polite, now)}, polite.Len() > 0
}

var pointing = patterns(
	"i|we mean|meant|want|choose|pick <rest>",
	"its|it_is|that_is|thats <rest>",
	"make_it|only|just <rest>",
	"[the] one|task with|about|called|named <rest>",
	"take|choose|pick|use <rest>",
)

// orders reports whether a request changes or shows tasks.
func orders(t text.Text, now due.Now) bool {
	return slices.ContainsFunc(Read(t.String(), now), func(r Request) bool { return r.Kind != Unknown && r.Kind != Say })
}

// readsNothing reports whether no part of a message is recognized.
func readsNothing(t text.Text, now due.Now) bool {
	return !slices.ContainsFunc(Read(t.String(), now), func(r Request) bool { return r.Kind != Unknown })
}
