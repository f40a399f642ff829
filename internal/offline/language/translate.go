package language

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/text"

	"golang.org/x/text/unicode/norm"
)

// templates are the English commands by kind. The title x is replaced in the result.
var templates = map[string]string{
	"add":       `add "x"`,
	"list":      "show my open tasks",
	"list-all":  "show all tasks",
	"list-done": "show my completed tasks",
	"list-due":  "what is due <date>",
	"complete":  "complete <ref>",
	"reopen":    "reopen <ref>",
	"delete":    "delete <ref>",
	"due":       "move <ref> to <date>",
	"undate":    "remove the due date from <ref>",
	"rename":    `rename <ref> to "x"`,
	"priority":  "set the priority of <ref> to {priority}",
	"undo":      "undo",
	"greeting":  "hello",
	"thanks":    "thanks",
	"yes":       "yes",
	"no":        "no",
	"retract":   "never mind",
}

// marks are those between the parts of a command, quotes those around a title.
const (
	marks  = ",:，、：； ،"
	quotes = `"'“”„«»`
)

// Limits of what is translated.
const (
	maxMessage = 300 // characters
	// maxDateWords and maxDateRunes bound the search for a date in a title.
	maxDateWords, maxDateRunes = 10, 24
)

// Parse returns the meaning of a message, and its language; nil means English. Dates are relative to now.
func Parse(message string, now due.Now) (intent.Message, *Language) {
	if m, l := translate(message, now); l != nil {
		return m, l
	}
	m := intent.Parse(message, now)
	if understood(m) {
		return m, nil
	}
	if l := detect(message); l != nil {
		return intent.Message{Foreign: l.reply, Answer: m.Answer, More: m.More}, l
	}
	return m, nil
}

// understood reports whether a message has a request that is more than a guess.
func understood(m intent.Message) bool {
	for _, r := range m.Requests {
		if guess := r.Offer && r.Bare; !guess && (r.Kind != intent.Say || len(m.Left) == 0) {
			return true
		}
	}
	return false
}

// translate reads a message in the language that finds the most commands in it. in is nil if none finds one.
func translate(message string, now due.Now) (best intent.Message, in *Language) {
	if utf8.RuneCountInString(message) > maxMessage {
		return best, nil
	}
	s := norm.NFC.String(text.Clean(message))
	sentences := split(s)
	most, words := 0, wordsOf(s)
	for _, l := range all() {
		if len(l.lines) == 0 || !l.mayBe(s) {
			continue
		}
		l.prepare()
		m, n := l.message(sentences, now)
		if n > most || n == most && in != nil && l.score(s, words) > in.score(s, words) {
			best, in, most = m, l, n
		}
	}
	return best, in
}

// Answer returns the tasks that a message chooses in the language ("die zweite"); nil if it is not a choice.
func (l *Language) Answer(message string, now due.Now) *intent.Answer {
	if l == nil || len(message) > maxMessage {
		return nil
	}
	l.prepare()
	s := strip(l.please, norm.NFC.String(strings.Trim(message, " .!")))
	for _, t := range l.refs {
		if m := t.re.FindStringSubmatch(s); m != nil {
			return intent.Parse(l.fill(t, m[1:]), now).Answer
		}
	}
	return nil
}

// message reads sentences, and returns how many of them are commands.
func (l *Language) message(sentences []string, now due.Now) (m intent.Message, commands int) {
	for _, s := range sentences {
		read, ok := l.sentence(s, now)
		if !ok {
			m.Left = append(m.Left, s)
			continue
		}
		if len(sentences) == 1 {
			m.Answer = read.Answer
		}
		if len(sentences) == 1 ||
			slices.ContainsFunc(read.Requests, func(r intent.Request) bool { return r.Kind != intent.Say }) {
			commands++
		}
		for _, r := range read.Requests {
			if r.Kind == intent.Say && r.Topic == intent.LeftAlone {
				m.Retracted, m.Requests = append(m.Retracted, m.Requests...), nil
			}
			r.Said = s
			m.Requests = append(m.Requests, r)
		}
	}
	return m, commands
}

var sentenceEnd = regexp.MustCompile(`[.!?。！？।۔؟]+(?:\s+|$)|[。！？]|\n+`)

// split returns the sentences of a message, with a question mark if they have one.
func split(s string) (sentences []string) {
	add := func(part, end string) {
		if part = strings.TrimSpace(part); part != "" {
			if strings.ContainsAny(end, "?？؟") {
				part += "?"
			}
			sentences = append(sentences, part)
		}
	}
	at := 0
	for _, end := range sentenceEnd.FindAllStringIndex(s, -1) {
		if s[end[0]] == '.' && isDate(s[at:end[0]], s[end[1]:]) {
			continue
		}
		add(s[at:end[0]], s[end[0]:end[1]])
		at = end[1]
	}
	add(s[at:], "")
	return sentences
}

var ordinal = regexp.MustCompile(`\s\d{1,2}$`)

// isDate reports whether a full stop belongs to a date: "am 5. Mai".
func isDate(before, after string) bool {
	words := wordsOf(after)
	return len(words) > 0 && ordinal.MatchString(before) &&
		slices.ContainsFunc(all(), func(l *Language) bool { return l.english["month "+words[0]] != "" })
}

// sentence reads one sentence.
func (l *Language) sentence(s string, now due.Now) (intent.Message, bool) {
	rest, question := strings.CutSuffix(strings.TrimLeft(s, "¿¡ "), "?")
	for range 2 {
		rest = strip(l.please, strings.TrimSpace(rest))
		if asked := strip(l.polite, rest); asked != rest {
			rest, question = asked, false
		}
	}
	if l.never != nil && l.never.MatchString(rest) {
		return intent.Message{}, false
	}
	for _, c := range l.commands {
		values := c.re.FindStringSubmatch(rest)
		if values == nil ||
			c.kind != "add" && l.not != nil && l.not.MatchString(rest) && c.kind != "no" && c.kind != "retract" {
			continue
		}
		if m, ok := l.command(c, values[1:], now); ok {
			for i := range m.Requests {
				r := &m.Requests[i]
				r.Offer = question && r.Kind != intent.List
				r.Fields.Title = text.Capitalize(r.Fields.Title)
			}
			return m, true
		}
	}
	return intent.Message{}, false
}

// command returns the meaning of a command with the values of its captures.
func (l *Language) command(c rule, values []string, now due.Now) (intent.Message, bool) {
	english, title := c.english, ""
	for i, name := range c.names {
		value := strings.TrimSpace(values[i])
		ok := true
		switch name {
		case "<title>":
			title = value
			if c.kind == "add" && !strings.Contains(english, " due ") {
				var date string
				if title, date = l.withoutDate(value, now); date != "" {
					english += " due " + date
				}
			}
		case "<ref>":
			english = strings.Replace(english, name, l.ref(value), 1)
		case "<date>":
			var date string
			date, ok = l.date(value, now)
			if c.kind == "add" {
				english += " due " + date
			}
			english = strings.Replace(english, name, date, 1)
		default:
			english = strings.Replace(english, name, l.value(name, value), 1)
		}
		if !ok {
			return intent.Message{}, false
		}
	}
	if c.kind == "retract" {
		return intent.Message{Requests: []intent.Request{{Kind: intent.Say, Topic: intent.LeftAlone}}}, true
	}
	m := intent.Parse(english, now)
	if len(m.Requests) != 1 || len(m.Left) > 0 {
		return m, c.kind == "yes" || c.kind == "no"
	}
	if title = strings.Trim(title, quotes+" "); title != "" {
		m.Requests[0].Fields.Title = title
	}
	return m, c.kind != "add" || title != ""
}

// value returns the English of a capture: a number, or a word of a class.
func (l *Language) value(name, value string) string {
	if name[0] == '{' {
		return l.inEnglish(strings.Trim(name, "{}"), value)
	}
	return strings.Map(digit, value)
}

// digit maps the digits of all scripts to ASCII.
func digit(r rune) rune {
	for zero := r; unicode.IsDigit(r); zero-- {
		if !unicode.IsDigit(zero-1) || r-zero == 9 {
			return '0' + r - zero
		}
	}
	return r
}

// fill returns the English translation of a match: that of the rule, with the captures filled in.
func (l *Language) fill(t rule, values []string) string {
	english := t.english
	for i, name := range t.names {
		english = strings.Replace(english, name, l.value(name, values[i]), 1)
	}
	return english
}

// ref returns the English of a name for tasks: by the rules, else the words of a title in quotation marks.
func (l *Language) ref(s string) string {
	for _, t := range l.refs {
		if m := t.re.FindStringSubmatch(s); m != nil {
			return l.fill(t, m[1:])
		}
	}
	s = strip(l.article, strings.Trim(s, quotes+" "))
	return `"` + strings.ReplaceAll(s, `"`, "") + `"`
}

// date translates a date into English. ok is false if a part of it is not a date.
func (l *Language) date(s string, now due.Now) (english string, ok bool) {
	var parts []string
	for s = strings.Trim(s, marks); s != ""; s = strings.Trim(s, marks) {
		longest, part := 0, ""
		for _, t := range l.dates {
			if m := t.re.FindStringSubmatch(s); m != nil && len(m[0]) > longest {
				longest, part = len(m[0]), l.fill(t, m[1:])
			}
		}
		if longest == 0 {
			return "", false
		}
		parts = append(parts, part)
		s = s[longest:]
	}
	english = strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	_, err := due.Parse(english, now)
	return english, err == nil
}

// withoutDate splits the longest date from the end or the beginning of a title. date is "" if there is none.
func (l *Language) withoutDate(title string, now due.Now) (rest, date string) {
	if strings.Trim(title, quotes) != title {
		return title, ""
	}
	is := func(part string) (ok bool) {
		if fits(part, l.unspaced) {
			date, ok = l.date(part, now)
		}
		return ok
	}
	bounds := bounds(title, l.unspaced)
	for _, at := range bounds { // the longest end first
		if at > 0 && is(title[at:]) {
			return strings.Trim(title[:at], marks), date
		}
	}
	for _, at := range slices.Backward(bounds) {
		if at > 0 && is(title[:at]) {
			return strings.Trim(title[at:], marks), date
		}
	}
	return title, ""
}

// fits reports whether a text is short enough for a date.
func fits(s string, unspaced bool) bool {
	if unspaced {
		return utf8.RuneCountInString(s) <= maxDateRunes
	}
	return len(strings.Fields(s)) <= maxDateWords
}

// bounds returns the offsets in s at which words begin.
func bounds(s string, unspaced bool) (all []int) {
	space := true
	for i, r := range s {
		if !unicode.IsSpace(r) && (space || unspaced) {
			all = append(all, i)
		}
		space = unicode.IsSpace(r)
	}
	return all
}
