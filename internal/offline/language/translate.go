package language

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/intent"
	"errand/internal/offline/pattern"
	"errand/internal/terms"
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
	"help":      "what can you do",
	"yes":       "yes",
	"no":        "no",
	"retract":   "never mind",
}

// quotes are those around a title.
const quotes = `"'“”„«»`

// Limits of what is translated.
const (
	maxMessage = 300 // characters
	maxDate    = 24  // tokens of a date in a title
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
		if len(l.commands) == 0 || !l.mayBe(s) {
			continue
		}
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
	if english, ok := l.byRule(l.trim("please", tokens(message).Trim())); ok {
		return intent.Parse(english, now).Answer
	}
	return nil
}

// message reads sentences, and returns how many of them are commands.
func (l *Language) message(sentences []string, now due.Now) (m intent.Message, commands int) {
	for _, s := range helpApart(l, sentences) {
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

// helpApart splits sentences that end in a request for help after another command: "füge Milch hinzu und sag mir, was
// du kannst". One word alone stays a part of a title.
func helpApart(l *Language, sentences []string) (all []string) {
	for _, s := range sentences {
		t := tokens(s)
		for i := 1; i < t.Len()-1; i++ {
			at := i
			for at < t.Len() && (t.Key(at) == "," || l.Is("joins", t.Key(at))) {
				at++
			}
			rest := t.From(at).Trim()
			if at > i && rest.Len() > 1 && l.asksHelp(rest) {
				all = append(all, t.Slice(0, i).String())
				s = rest.String()
				break
			}
		}
		all = append(all, s)
	}
	return all
}

// asksHelp reports whether a text is a request for help.
func (l *Language) asksHelp(t text.Text) bool {
	if t.Key(t.Len()-1) == "?" {
		t = t.Slice(0, t.Len()-1)
	}
	t = l.trim("please", t.Trim())
	return slices.ContainsFunc(l.commands, func(c rule) bool { return c.kind == "help" && l.match(c, t, false) != nil })
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
		slices.ContainsFunc(all(), func(l *Language) bool { return l.Is("month", words[0]) })
}

// sentence reads one sentence.
func (l *Language) sentence(s string, now due.Now) (intent.Message, bool) {
	s, question := strings.CutSuffix(strings.TrimLeft(s, "¿¡ "), "?")
	t := tokens(s).Trim()
	if l.asksHelp(t) { // before "kannst du" is left out
		return intent.Parse(templates["help"], now), true
	}
	for range 2 {
		t = l.trim("please", t)
		if asked := l.trim("ask", t); asked.Len() < t.Len() {
			t, question = asked, false
		}
	}
	if l.has("never", t) {
		return intent.Message{}, false
	}
	negated := l.has("not", t)
	for _, c := range l.commands {
		if negated && c.kind != "add" && c.kind != "no" && c.kind != "retract" {
			continue
		}
		if m, ok := l.command(c, t, now); ok {
			for i := range m.Requests {
				r := &m.Requests[i]
				r.Offer = question && r.Kind != intent.List && r.Kind != intent.Say
				r.Fields.Title = text.Capitalize(r.Fields.Title)
			}
			return m, true
		}
	}
	return intent.Message{}, false
}

// command returns the meaning of a sentence that a command matches.
func (l *Language) command(c rule, t text.Text, now due.Now) (m intent.Message, ok bool) {
	found := l.match(c, t, false)
	if found == nil {
		return m, false
	}
	english, title, date := c.english, "", ""
	for _, part := range found.Captures() {
		value := part.Text.Trim()
		switch part.Name {
		case "title":
			title = value.String()
			if c.kind == "add" && date == "" {
				title, date = l.withoutDate(value, now)
			}
		case "ref":
			english = strings.Replace(english, "<ref>", l.ref(value), 1)
		case "date":
			if date, ok = l.date(value, now); !ok {
				return m, false
			}
			english = strings.Replace(english, "<date>", date, 1)
		default:
			english = l.fill(english, part)
		}
	}
	if c.kind == "retract" {
		return intent.Message{Requests: []intent.Request{{Kind: intent.Say, Topic: intent.LeftAlone}}}, true
	}
	if c.kind == "add" && date != "" {
		english += " due " + date
	}
	m = intent.Parse(english, now)
	if len(m.Requests) != 1 || len(m.Left) > 0 {
		return m, c.kind == "yes" || c.kind == "no"
	}
	if title = strings.Trim(title, quotes+" "); title != "" {
		m.Requests[0].Fields.Title = title
	}
	return m, c.kind != "add" || title != ""
}

// fill replaces the name of a capture by its English: a number, or a word of a class.
func (l *Language) fill(english string, c pattern.Capture) string {
	name, value := "<"+c.Name+">", c.Text.Key(c.Text.Len()-1)
	if class := strings.Trim(c.Name, "{}"); class != c.Name {
		name, value = c.Name, strings.ReplaceAll(l.Value(class, strings.Join(c.Text.Keys(), " ")), "_", " ")
	}
	return strings.Replace(english, name, value, 1)
}

// translated returns the English translation of a match: that of the rule, with the captures filled in.
func (l *Language) translated(r rule, m *match) string {
	english := r.english
	for _, c := range m.Captures() {
		english = l.fill(english, c)
	}
	return english
}

// byRule returns the English of a name for tasks that a rule matches.
func (l *Language) byRule(t text.Text) (english string, ok bool) {
	for _, r := range l.refs {
		if m := l.match(r, t, false); m != nil {
			return l.translated(r, m), true
		}
	}
	return "", false
}

// ref returns the English of a name for tasks: by the rules, else the words of a title in quotation marks.
func (l *Language) ref(t text.Text) string {
	if english, ok := l.byRule(t); ok {
		return english
	}
	title := l.trim("article", tokens(strings.Trim(t.String(), quotes+" "))).String()
	return `"` + strings.ReplaceAll(title, `"`, "") + `"`
}

// date translates a date into English. ok is false if a part of it is not a date.
func (l *Language) date(t text.Text, now due.Now) (english string, ok bool) {
	var parts []string
	for t = t.Trim(); t.Len() > 0; t = t.Trim() {
		longest, part := 0, ""
		for _, r := range l.dates {
			if m := l.match(r, t, true); m != nil && m.end > longest {
				longest, part = m.end, l.translated(r, m)
			}
		}
		if longest == 0 {
			return "", false
		}
		parts = append(parts, part)
		t = t.From(longest)
	}
	english = strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	_, err := due.Parse(english, now)
	return english, err == nil
}

// withoutDate splits the longest date from the end or the beginning of a title. date is "" if there is none.
func (l *Language) withoutDate(t text.Text, now due.Now) (title, date string) {
	title = t.String()
	if strings.Trim(title, quotes) != title {
		return title, ""
	}
	for i := max(1, t.Len()-maxDate); i < t.Len(); i++ { // the longest end first
		if date, ok := l.date(t.From(i), now); ok && separate(t, i) {
			return t.Slice(0, i).Trim().String(), date
		}
	}
	for i := min(t.Len()-1, maxDate); i > 0; i-- {
		if date, ok := l.date(t.Slice(0, i), now); ok && separate(t, i) {
			return t.From(i).Trim().String(), date
		}
	}
	return title, ""
}

// separate reports whether a word begins at a token, and not within a word such as "heute-show".
func separate(t text.Text, i int) bool {
	first, _ := utf8.DecodeRuneInString(t.Key(i))
	before, _ := utf8.DecodeLastRuneInString(t.Key(i - 1))
	_, end := t.Slice(0, i).Bounds()
	start, _ := t.From(i).Bounds()
	return start > end || terms.IsUnspacedRune(first) || terms.IsUnspacedRune(before)
}
