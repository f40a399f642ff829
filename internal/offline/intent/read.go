package intent

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
)

// Limits of a message, which bound the cost of parsing.
const (
	maxRequests = 40
	maxJoints   = 25  // positions in a sentence where a new request may begin
	maxWords    = 300 // of one sentence
)

// Read returns the requests of a message, in order. Dates are relative to now.
func Read(message string, now due.Now) []Request {
	r := requestReader{now: now}
	for _, s := range sentences(text.Tokenize(text.Clean(message))) {
		if len(r.requests) >= maxRequests {
			break
		}
		r.sentence(s)
	}
	r.close()
	return r.requests
}

// sentence is a part of a message up to a full stop, a semicolon or the end of a line.
type sentence struct {
	text.Text
	bullet    bool
	newLine   bool
	semicolon bool // follows a semicolon
}

// sentences splits a message at full stops, semicolons and ends of lines.
func sentences(t text.Text) []sentence {
	var all []sentence
	next := sentence{newLine: true}
	start := 0
	cut := func(end, after int) {
		next.Text = t.Slice(start, end)
		next.dropBullet()
		if next.Trim().Len() > 0 {
			all = append(all, next)
		}
		next, start = sentence{}, after
	}
	for i, tok := range t.Tokens {
		switch {
		case tok.Kind == text.Break:
			cut(i, i+1)
			next.newLine = true
		case tok.Kind == text.Punct && (tok.Key == ";" || tok.Key == "•"):
			cut(i, i+1)
			next.semicolon = tok.Key == ";"
		case ends(t, i):
			cut(i+1, i+1)
		}
	}
	cut(t.Len(), t.Len())
	return all
}

var abbreviations = words("dr mr mrs ms st vs prof jr sr no nr approx e.g i.e inc ltd dept ave rd mt fig vol etc")

// ends reports whether token i ends a sentence. The full stops of "Dr." and of "1." at the beginning of a line do not;
// "!!" does when a capital letter follows.
func ends(t text.Text, i int) bool {
	k := t.Key(i)
	if t.Tokens[i].Kind != text.Punct || i+1 >= t.Len() {
		return false
	}
	switch {
	case k == "." || k == "…":
		lineStart := i < 2 || t.Tokens[i-2].Kind == text.Break
		return !(k == "." && (abbreviations[t.Key(i-1)] || lineStart && enumerator(t.Key(i-1))))
	case strings.HasPrefix(k, "!!"):
		first, _ := utf8.DecodeRuneInString(t.Raw(i + 1))
		return i > 0 && unicode.IsUpper(first)
	}
	return k == "?" || k == "!"
}

func enumerator(k string) bool {
	return len(k) > 0 && len(k) <= 2 && strings.Trim(k, "0123456789") == ""
}

// dropBullet removes "-", "*", "1." and "2)" from the beginning of a line.
func (s *sentence) dropBullet() {
	if !s.newLine || s.Len() == 0 {
		return
	}
	k := s.Key(0)
	switch {
	case k == "-" || k == "*" || k == "•" || k == "+":
		s.Text, s.bullet = s.From(1), true
	case enumerator(k) && (s.Key(1) == "." || s.Key(1) == ")"):
		s.Text, s.bullet = s.From(2), true
	}
	if s.bullet && s.Key(0) == "[" && s.Key(1) == "]" {
		s.Text = s.From(2) // "- [ ] milk"
	}
}

// requestReader collects the requests of a message.
type requestReader struct {
	now      due.Now
	requests []Request
	// header is an "Add these tasks:" whose titles are expected on the following lines.
	header *Request
	filled bool
}

func (r *requestReader) sentence(s sentence) {
	if s.Len() > maxWords {
		r.requests = append(r.requests, Request{Said: s.Slice(0, 20).String() + " …"})
		return
	}
	if r.header != nil && (s.bullet || s.newLine && clause(s.Text, r.now).Kind == Unknown) {
		r.filled = true
		r.requests = append(r.requests, titleRequest(s.Trim(), r.now))
		return
	}
	r.close()
	if s.Len() == 2 && s.Key(1) == ":" && headers[s.Key(0)] {
		r.header = &Request{Kind: Add, Said: s.String()}
		return
	}
	found := r.split(s.Text)
	if s.semicolon && len(found) == 1 && found[0].Kind == Unknown && r.lastKind() == Add {
		found = []Request{titleRequest(s.Trim(), r.now)}
	}
	r.requests = append(r.requests, found...)
}

// headers are the words that, followed by a colon, introduce a list of new tasks.
var headers = words("tasks todo todos to-do to-dos reminders add task reminder")

func (r *requestReader) lastKind() Kind {
	if len(r.requests) == 0 {
		return Unknown
	}
	return r.requests[len(r.requests)-1].Kind
}

// close converts a header without titles to a request without a title, for which the user is asked.
func (r *requestReader) close() {
	if r.header != nil && !r.filled {
		r.requests = append(r.requests, Request{Kind: Add, Said: r.header.Said})
	}
	r.header, r.filled = nil, false
}

// split splits a sentence where "and", "then" or a comma begins another request. Free text ("add milk and eggs") is split
// only before words that cannot belong to a title.
func (r *requestReader) split(t text.Text) []Request {
	var found []Request
	t = t.Trim()
	joints := 0
	for i := 1; i < t.Len() && len(found) < maxRequests; i++ {
		after := joint(t, i)
		if after == i || after >= t.Len() {
			continue
		}
		if joints++; joints > maxJoints || conditional(t) {
			break
		}
		left := clause(t.Slice(0, i), r.now)
		if left.Kind == Unknown {
			continue
		}
		if !r.begins(t.From(after), left) {
			if right, ok := r.second(left, t.From(after)); ok {
				return append(found, left, right)
			}
			continue
		}
		found = append(found, r.expand(left)...)
		t = t.From(after).Trim()
		i = 0
	}
	return append(found, r.expand(clause(t, r.now))...)
}

// second parses "… tomorrow and call mom on friday": two due dates mean two tasks.
func (r *requestReader) second(left Request, t text.Text) (Request, bool) {
	if left.Kind != Add || left.Fields.Due == nil || left.Fields.Title == "" || t.Len() > maxAttributeWords {
		return Request{}, false
	}
	right := titleRequest(t, r.now)
	return right, right.Kind == Add && right.Fields.Due != nil && right.Fields.Title != "" && right.Rejection == ""
}

// joint skips the words at i that may connect two requests.
func joint(t text.Text, i int) int {
	for i < t.Len() && (t.Tokens[i].Kind == text.Punct && (t.Key(i) == "," || t.Key(i) == "-") || ties[t.Key(i)]) {
		i++
	}
	return i
}

var ties = words("and then also & plus afterwards finally")

// begins reports whether a request starts with t; left is the text before it.
func (r *requestReader) begins(t text.Text, left Request) bool {
	if left.Kind == Add && (noteWord[t.Key(0)] || labelForm.MatchString(t.Key(0))) {
		return false // "add milk, note: the cheap one" and "add milk, #home"
	}
	if !openers[withoutCourtesy(t).Key(0)] && !strings.HasPrefix(t.Key(0), "#") && !enumerator(t.Key(0)) {
		return false
	}
	end := t.Len()
	for i, tried := 1, 0; i <= t.Len() && tried < 3; i++ {
		if i < t.Len() && (joint(t, i) == i || joint(t, i-1) > i-1) {
			continue
		}
		tried++
		end = i
		if right := clause(t.Slice(0, end), r.now); fits(left, right) {
			return true
		}
	}
	return fits(left, clause(t, r.now))
}

// fits reports whether right may follow left as a separate request.
func fits(left, right Request) bool {
	switch {
	case right.Kind == Unknown || right.Kind == Say && right.Topic != LeftAlone && right.Topic != NoRepeat:
		return false
	case right.Kind == Say:
		return true
	case left.free && right.Kind == Add:
		return right.explicit || !left.explicit // "add milk and add bread"
	case left.free:
		return right.explicit
	}
	return true
}

// openers are the words that requests begin with. They exclude most joints without parsing.
var openers = words(
	"add create make new put set schedule plan remind remember note write jot todo to-do task tasks reminder show " +
		"list display view see print give get read tell what whats which how do did have any " +
		"anything pull find search look filter check mark tick cross strike complete finish close wrap done finished " +
		"completed im i ive we weve it its this that both the them these those all everything number reopen re-open " +
		"uncomplete uncheck untick " +
		"undo open delete remove erase discard trash scrap drop clear cancel take throw rename retitle reword change " +
		"update edit modify move reschedule postpone push delay shift snooze defer bump prioritize prioritise " +
		"deprioritize " +
		"append attach label tag untag replace describe dont never make bring turn raise lower flag insert call empty " +
		"is are am there",
)

// expand returns a request for each title of "add these tasks: milk, eggs".
func (r *requestReader) expand(req Request) []Request {
	if !req.several {
		return []Request{req}
	}
	if many := titles(req.titles, r.now); len(many) > 0 {
		return many
	}
	r.header = &req
	return nil
}

// ReadTitle parses a message that answers the question for a title.
func ReadTitle(message string, now due.Now) Request {
	return titleRequest(withoutCourtesy(text.Tokenize(text.Clean(message))), now)
}

// maxAnother is the maximum number of words of a further title.
const maxAnother = 8

var another = patterns("and|also|plus|& <rest>", "another [one|task] [:] <rest>")

// sentenced are words that occur in sentences but not in titles, at the beginning or anywhere.
var (
	subjects = words(
		"i im ive id ill you youre we he she it its they that thats this these those there what who when where why " +
			"how which did does can could will would should may yes no not so if",
	)
	verbs = words("is are was were am isnt arent wasnt werent")
)

// ReadAnother parses "and eggs" as the title of a further task, directly after a task was added. A question or a
// complete sentence is not a title.
func ReadAnother(message string, now due.Now) (Request, bool) {
	whole := text.Tokenize(text.Clean(message)).Trim()
	t := whole
	for tied := true; tied; {
		t, tied = strip(t, another)
	}
	if t.Len() == whole.Len() || t.Len() > maxAnother || strings.Contains(message, "?") || subjects[t.Key(0)] ||
		slices.ContainsFunc(t.Keys(), func(k string) bool { return verbs[k] }) {
		return Request{}, false
	}
	req := titleRequest(t, now)
	return req, req.Kind == Add && req.Fields.Title != ""
}
