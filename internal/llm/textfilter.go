package llm

import (
	"strings"
)

// textFilter splits the text of a response, as it streams, into text for the user, reasoning, and the beginning of a
// tool call written as text. Reasoning is dropped. Tags count only where models write them: at the start of a line, or
// as the tokens of a template. Within code, and within a sentence, they are text.
type textFilter struct {
	tools []Tool
	// pending is text that is not decided; it is short.
	pending string
	// closers end the open reasoning; nil outside of reasoning.
	closers []string
	// captured is the text from the beginning of a written tool call on.
	captured  strings.Builder
	capturing bool
	// afterReasoning means that the white space before the next text belongs to the reasoning.
	afterReasoning bool
	// visible means that text other than white space was returned.
	visible bool
	// midLine, code and fence describe the place in Markdown: within a line, in a code span, in a code block.
	midLine, code bool
	fence         string
	last          [2]byte // the last two bytes of the text
	// literalOpeners counts the opening tags that were text.
	literalOpeners int
	// unopened means that the text so far was reasoning without an opening tag. The caller resets it.
	unopened bool
}

// reasoningTags are the tags and template tokens around reasoning, in lower case, without their brackets where the
// closing form follows from the opening one.
var reasoningTags = func() map[string][]string {
	tags := map[string][]string{
		"[think]":              {"[/think]"},                                                   // Magistral
		"◁think▷":              {"◁/think▷"},                                                   // Kimi
		"<|begin_of_thought|>": {"<|end_of_thought|>"},                                         // OpenThinker, Sky-T1
		"<|start_thinking|>":   {"<|end_thinking|>"},                                           // Command A
		"<|channel>thought":    {"<channel|>"},                                                 // Gemma
		"<unused94>thought":    {"<unused95>"},                                                 // MedGemma
		"<|channel|>analysis":  {"<|end|>", "<|start|>assistant", "<|channel|>", "<|return|>"}, // gpt-oss
	}
	for _, name := range []string{
		"think", "thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad", "antthinking", "seed:think",
		"inner_monologue", "analysis",
	} {
		tags["<"+name+">"] = []string{"</" + name + ">"}
	}
	return tags
}()

// loneClosers are closing tags that may come without their opening tag, which the prompt template ended with.
var loneClosers = []string{
	"</think>", "</thinking>", "</thought>", "</reasoning>", "</seed:think>", "[/think]", "◁/think▷", "<|end_of_thought|>",
	"<|end_thinking|>",
}

// droppedTokens are tokens of templates that are no text.
var droppedTokens = []string{
	"<|channel|>final<|message|>", "<|channel|>commentary<|message|>", "<|start|>assistant", "<|message|>", "<|end|>",
	"<|return|>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>",
}

// longestTag is the length of the longest tag or token.
var longestTag = func() int {
	n := 0
	for open, closers := range reasoningTags {
		n = max(n, len(open))
		for _, c := range closers {
			n = max(n, len(c))
		}
	}
	for _, t := range droppedTokens {
		n = max(n, len(t))
	}
	return n
}()

// add returns the part of the text so far that is for the user and was not returned before. At the end of the response
// the rest is decided.
func (f *textFilter) add(text string, end bool) string {
	f.pending += text
	var out strings.Builder
	unopened := f.unopened
	for f.pending != "" && f.step(&out, end) {
		if f.unopened {
			out.Reset()
			unopened, f.unopened = true, false
		}
	}
	f.unopened = unopened
	if end && f.closers == nil {
		f.put(&out, len(f.pending))
	}
	return out.String()
}

// step decides the beginning of the pending text. It reports false if more text is needed.
func (f *textFilter) step(out *strings.Builder, end bool) bool {
	switch {
	case f.capturing:
		f.captured.WriteString(f.pending)
		f.pending = ""
		return true
	case f.closers != nil:
		return f.skipReasoning()
	case !f.midLine:
		return f.stepLineStart(end)
	default:
		return f.stepInLine(out, end)
	}
}

// put moves n bytes of the pending text to out.
func (f *textFilter) put(out *strings.Builder, n int) {
	text := f.pending[:n]
	out.WriteString(text)
	f.pending = f.pending[n:]
	f.visible = f.visible || strings.TrimSpace(text) != ""
	f.afterReasoning = f.afterReasoning && n == 0
	for i := range len(text) {
		f.last[0], f.last[1] = f.last[1], text[i]
	}
}

// drop removes n bytes of the pending text.
func (f *textFilter) drop(n int) { f.pending = f.pending[n:] }

func (f *textFilter) skipReasoning() bool {
	lower := asciiLower(f.pending)
	at, length := -1, 0
	for _, c := range f.closers {
		if i := strings.Index(lower, c); i >= 0 && (at < 0 || i < at) {
			at, length = i, len(c)
		}
	}
	if at < 0 {
		f.drop(max(0, len(f.pending)-longestTag)) // the closing tag may have begun
		return false
	}
	if strings.HasPrefix(lower[at:], "<|channel|>") {
		length = 0 // it opens the next channel
	}
	f.drop(at + length)
	f.closers, f.midLine, f.code, f.afterReasoning = nil, false, false, true
	return true
}

// stepLineStart decides what begins at the start of a line. Before the first text, white space may precede it.
func (f *textFilter) stepLineStart(end bool) bool {
	blank := 0
	if !f.visible || f.afterReasoning {
		blank = len(f.pending) - len(strings.TrimLeft(f.pending, " \t\r\n"))
	}
	if f.afterReasoning {
		f.drop(blank)
		blank = 0
	}
	rest := f.pending[blank:]
	if rest == "" {
		return false
	}
	if f.fence != "" {
		return f.stepFence(rest, end)
	}
	if match, more := f.matchTag(rest, end); match > 0 {
		f.drop(blank + match)
		return true
	} else if more {
		return false
	}
	switch isCall, more := beginsCall(rest, f.tools, end); {
	case isCall:
		f.drop(blank)
		f.capturing = true
		return true
	case more:
		return false
	}
	return f.stepFence(rest, end)
}

// stepFence opens or closes a code block at the start of a line.
func (f *textFilter) stepFence(rest string, end bool) bool {
	fences := []string{"```", "~~~"}
	if f.fence != "" {
		fences = []string{f.fence}
	}
	for _, fence := range fences {
		switch {
		case strings.HasPrefix(rest, fence) && f.fence == "":
			f.fence = fence
		case strings.HasPrefix(rest, fence):
			f.fence = ""
		case strings.HasPrefix(fence, rest) && !end:
			return false
		default:
			continue
		}
		break
	}
	f.midLine = true
	return true
}

// matchTag handles a reasoning tag or a token at the beginning of text, and returns its length. more means that text
// may be the beginning of one.
func (f *textFilter) matchTag(text string, end bool) (length int, more bool) {
	lower := asciiLower(text[:min(len(text), longestTag)])
	for _, token := range droppedTokens {
		if strings.HasPrefix(lower, token) {
			const recipient = " to=" // of a call
			rest := text[len(token):]
			if strings.HasPrefix(recipient, rest) && !end {
				return 0, true
			}
			if !strings.HasPrefix(rest, recipient) {
				return len(token), false
			}
		}
		more = more || strings.HasPrefix(token, lower)
	}
	for open, closers := range reasoningTags {
		if strings.HasPrefix(lower, open) {
			f.closers = closers
			return len(open), false
		}
		more = more || strings.HasPrefix(open, lower)
	}
	return 0, more && !end
}

// stepInLine returns text up to the next place where something may begin or end.
func (f *textFilter) stepInLine(out *strings.Builder, end bool) bool {
	special := "\n"
	if f.fence == "" {
		special = "\n`<[\xe2"
	}
	n := indexAnyByte(f.pending, special)
	if n < 0 {
		f.put(out, len(f.pending))
		return true
	}
	if n > 0 {
		f.put(out, n)
		return true
	}
	switch f.pending[0] {
	case '\n':
		f.put(out, 1)
		f.midLine, f.code = false, false
		return true
	case '`':
		f.put(out, 1)
		f.code = !f.code
		return true
	}
	if !f.code {
		if decided, more := f.stepTag(end); decided || more {
			return decided
		}
	}
	f.put(out, 1)
	return true
}

// stepTag decides about a tag within a line: a closing tag whose opening tag is missing, or a token of a template.
func (f *textFilter) stepTag(end bool) (decided, more bool) {
	lower := asciiLower(f.pending[:min(len(f.pending), longestTag)])
	for _, closer := range loneClosers {
		if !strings.HasPrefix(lower, closer) {
			more = more || strings.HasPrefix(closer, lower)
			continue
		}
		if len(f.pending) == len(closer) && !end {
			return false, true // the next byte decides
		}
		if f.literalOpeners > 0 {
			f.literalOpeners--
			return false, false
		}
		if f.isQuoted(f.pending[len(closer):]) {
			return false, false
		}
		f.drop(len(closer))
		f.unopened, f.visible, f.midLine, f.afterReasoning = true, false, false, true
		return true, false
	}
	for open := range reasoningTags {
		if strings.HasPrefix(lower, open) && !strings.HasPrefix(open, "<|") {
			f.literalOpeners++
			return false, false
		}
		more = more || strings.HasPrefix(open, lower)
	}
	if strings.HasPrefix(lower, "<|") {
		if length, undecided := f.matchTag(f.pending, end); length > 0 {
			f.drop(length)
			return true, false
		} else if undecided {
			more = true
		}
		if isCall, _ := beginsCall(f.pending, f.tools, end); isCall {
			f.capturing = true
			return true, false
		}
	}
	return false, more && !end
}

// isQuoted reports whether a tag between the last text and rest is part of a sentence.
func (f *textFilter) isQuoted(rest string) bool {
	const quotes = "\"'“”‘’«»()"
	before, next := f.last[1], byte(0)
	if rest != "" {
		next = rest[0]
	}
	if strings.IndexByte(quotes[:2], before) >= 0 && before == next || before == '(' && next == ')' {
		return true
	}
	sentenceEnds := strings.IndexByte(".!?:;", f.last[0]) >= 0
	return before == ' ' && next == ' ' && !sentenceEnds
}

// asciiLower keeps the length of a text, also of one that begins within a character.
func asciiLower(s string) string {
	lower := []byte(s)
	for i, b := range lower {
		if b >= 'A' && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	return string(lower)
}

func indexAnyByte(s, bytes string) int {
	for i := range len(s) {
		if strings.IndexByte(bytes, s[i]) >= 0 {
			return i
		}
	}
	return -1
}
