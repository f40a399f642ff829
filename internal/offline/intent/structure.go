package intent

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/internal/tasktext"
	"errand/internal/text"
)

// sentence is a part of a message up to a full stop, a semicolon or the end of a line.
type sentence struct {
	text.Text
	bullet    bool
	newLine   bool
	semicolon bool // follows a semicolon
	question  bool // ends in a question mark
	heads     bool // ends in a colon before another line
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
			next.question = next.Key(next.Len()-1) == "?"
			all = append(all, next)
			next = sentence{}
		}
		next.semicolon = false
		start = after
	}
	inline, number := numbered(t), 1
	for i, tok := range t.Tokens {
		switch {
		case i < start:
		case tok.Kind == text.Break:
			cut(i, i+1)
			next.newLine = true
		case inline && tok.Key == strconv.Itoa(number) && t.Key(i+1) == ".":
			cut(i, i+2)
			next.bullet, next.newLine = true, true
			number++
		case tok.Key == ";" && i > 0 && (t.Tokens[i-1].Kind == text.Punct || t.Key(i+1) == "-"):
		case tok.Kind == text.Punct && (tok.Key == ";" || tok.Key == "•"):
			cut(i, i+1)
			next.semicolon, next.bullet = tok.Key == ";", tok.Key == "•"
		case ends(t, i):
			cut(i+1, i+1)
		}
	}
	cut(t.Len(), t.Len())
	return all
}

// numbered reports whether a line numbers its parts from the middle on: "add 1. shave 2. shower".
func numbered(t text.Text) bool {
	found := 0
	for i := 1; i < t.Len(); i++ {
		if t.Key(i+1) == "." && t.Key(i) == strconv.Itoa(found+1) && t.Tokens[i-1].Kind != text.Break {
			found++
		}
	}
	return found > 1
}

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
		return !(k == "." && (english.Is("abbreviation", t.Key(i-1)) || lineStart && enumerator(t.Key(i-1))))
	case strings.HasPrefix(k, "!!"):
		first, _ := utf8.DecodeRuneInString(t.Raw(i + 1))
		return i > 0 && unicode.IsUpper(first)
	}
	if k == "!" && i+2 == t.Len() && english.Value("level", t.Key(i+1)) != "" {
		return false // "!urgent"
	}
	return k == "?" || k == "!"
}

func enumerator(k string) bool {
	return len(k) > 0 && len(k) <= 2 && strings.Trim(k, "0123456789") == ""
}

// dropBullet removes "-", "*", "1.", "2)" and a check box from the beginning of a line.
func (s *sentence) dropBullet() {
	for s.newLine {
		end := english.PhraseAt("bullet", s.Text, 0)
		if enumerator(s.Key(0)) && (s.Key(1) == "." || s.Key(1) == ")") {
			end = 2
		}
		if end < 0 {
			return
		}
		s.Text, s.bullet = s.From(end), true
	}
}

// segment is a part of a sentence in which a request may begin.
type segment struct {
	text.Text
	// marker is the correction or retraction that begins the segment.
	marker text.Text
	// unsure means that the segment may belong to the title before it.
	unsure bool
	// start and end are its place in the sentence.
	start, end int
	// from is the place of the marker, start if there is none.
	from int
}

// join extends a segment to the end of a later one.
func (g *segment) join(later segment, sentence text.Text) {
	g.Text, g.end = sentence.Slice(g.start, later.end), later.end
}

// segments splits a sentence where a word that requests begin with, or a correction, follows a comma or "and".
func (p *clauseParser) segments(s text.Text) []segment {
	var all []segment
	next := segment{}
	cut := func(end int) {
		next.Text, next.end = s.Slice(next.start, end), end
		all = append(all, next)
	}
	if end := p.marker(s, 0); end > 0 {
		next = segment{marker: s.Slice(0, end), start: end}
	}
	for i := next.start + 1; i < s.Len(); i++ {
		if p.lang.PhraseAt("retracttail", s, i) == s.Trim().Len() {
			cut(i)
			next = segment{marker: s.From(i).Trim(), start: s.Len(), from: i}
			break
		}
		after := p.joint(s, i)
		if after == i || after >= s.Len() {
			continue
		}
		if end := p.marker(s, after); end > 0 && (s.Tokens[i].Kind == text.Punct || s.Key(i) == "and") {
			cut(i)
			next = segment{marker: s.Slice(after, end), start: end, from: after}
			i = end
			continue
		}
		corrects := next.marker.Len() > 0 && p.isFirm(s.Slice(after, min(s.Len(), after+1)))
		if p.opens(s.From(after)) && !corrects {
			cut(i)
			next = segment{start: after, from: after}
		}
		i = after
	}
	cut(s.Len())
	return all
}

// joint skips the words at i that may connect two requests.
func (p *clauseParser) joint(t text.Text, i int) int {
	for i < t.Len() && (t.Tokens[i].Kind == text.Punct && p.lang.Is("joint", t.Key(i)) ||
		p.lang.Is("ties", t.Key(i)) && t.Key(i) != "too") {
		i++
	}
	return i
}

// opens reports whether a request may begin with t.
func (p *clauseParser) opens(t text.Text) bool {
	bare, polite := p.withoutCourtesy(t.Slice(0, min(t.Len(), 8)))
	k := bare.Key(0)
	if polite && k == "help" {
		return true // "add milk, and can you help me?"
	}
	if p.lang.Is("noteword", k) && bare.Key(1) == ":" {
		return false // "add milk, note: the cheap one"
	}
	return p.lang.Is("begin", k) || strings.HasPrefix(k, "#") && numberForm.MatchString(k) || enumerator(k)
}

// marker returns the end of a correction or retraction at i, or -1. A weak one ("no", "not", "make it") counts only
// before a mark, values, a task or a command.
func (p *clauseParser) marker(t text.Text, i int) int {
	end := max(p.lang.PhraseAt("correct", t, i), p.lang.PhraseAt("retract", t, i), p.lang.PhraseAt("keep", t, i))
	if end < 0 {
		return -1
	}
	words := strings.Join(t.Slice(i, end).Keys(), " ")
	marked := p.lang.Is("mark", t.Key(end))
	rest := t.From(end).Trim()
	if rest.Len() == 0 || marked && !p.lang.Is("weak", words) {
		return end
	}
	if !p.lang.Is("correct", words) || rest.Len() > tasktext.MaxValues { // "stop by the bank", "keep the report"
		return -1
	}
	if marked || p.lang.Is("strong", words) || rest.Key(0) == "not" || p.isValues(rest) ||
		slices.ContainsFunc(p.split(rest, "pieces"), p.isFirm) || p.isFirm(rest) {
		return end
	}
	return -1
}
