package llm

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// writtenCall is a tool call that a model wrote as text.
type writtenCall struct {
	Name      string
	Arguments string
}

// maxWrittenCalls is the length of text that is searched for calls, in bytes.
const maxWrittenCalls = 256 << 10

// callParser parses text that consists of tool calls and of the markup around them.
type callParser struct {
	rest  string
	tools []Tool
	calls []writtenCall
}

// parseWrittenCalls returns the calls that text consists of. complete is false if there is anything else in it, or no
// call; calls then holds those before it. Each call must name one of the tools.
func parseWrittenCalls(text string, tools []Tool) (calls []writtenCall, complete bool) {
	if len(text) > maxWrittenCalls {
		return nil, false
	}
	p := &callParser{rest: text, tools: tools}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n,;\uFEFF")
		if p.rest == "" {
			return p.calls, len(p.calls) > 0
		}
		before := len(p.rest)
		if !p.parseOne() || len(p.rest) >= before {
			return p.calls, false
		}
	}
}

var (
	// wrapper is markup around calls that has no meaning of its own.
	wrapper = regexp.MustCompile(
		"(?i)^(?:```(?:[a-z_]*[ \t]*(?:\r?\n|$))?|</?(?:minimax:)?(?:tool_calls?|tools?|tool_use|" +
			"function_calls?|functioncalls?|function)>|<tool_call\\|>|<\\|tool_call>|\\[/?TOOL_CALLS\\]|<s>|</s>|" +
			"<[|｜](?:tool|python_tag|im_end|eom_id|eot_id|end|call|return|action_)[^>]*>|function<｜tool▁sep｜>)",
	)
	// named is a call by an element whose name is that of the tool.
	named = regexp.MustCompile(`^<(function|invoke)(?:=|\s+name=)"?([^">\s]+)"?\s*>`)
	// parameter is an argument of such a call, up to its value.
	parameter = regexp.MustCompile(`^<parameter(?:=|\s+name=)"?([^">\s]+)"?[^>]*>`)
	// recipient is the head of a call in the format of gpt-oss.
	recipient = regexp.MustCompile(`^(?:<\|start\|>assistant)?\s*(?:<\|channel\|>\w+)?\s*to=([\w.:-]+)[^{]*?<\|message\|>`)
	// prefixed is a name before the object of its arguments.
	prefixed = regexp.MustCompile(`^(?:call:)?([A-Za-z_][\w.:/-]*)\s*(?:\[CALL_ID\]\s*\w+\s*)?(?:\[ARGS\]|` +
		"<[|｜][^>]*>|```json)?\\s*\\{")
	// keyed is a name before arguments as pairs of elements.
	keyed = regexp.MustCompile(`^([A-Za-z_][\w.:-]*)\s*<arg_key>`)
	pair  = regexp.MustCompile(`(?s)^\s*<arg_key>\s*(.*?)\s*</arg_key>\s*<arg_value>(.*?)</arg_value>`)
	// calledLike is a call in the syntax of Python.
	calledLike = regexp.MustCompile(`^\[?\s*(?:print\()?([A-Za-z_][\w.]*)\(`)
)

func (p *callParser) parseOne() bool {
	if m := recipient.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[0]):]
		return p.addObject(m[1])
	}
	if m := named.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[0]):]
		return p.parseElement(m[1], m[2])
	}
	if m := wrapper.FindString(p.rest); m != "" {
		p.rest = p.rest[len(m):]
		return true
	}
	if m := keyed.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[1]):]
		return p.parsePairs(m[1])
	}
	if m := prefixed.FindStringSubmatch(p.rest); m != nil {
		p.rest = p.rest[len(m[0])-1:]
		return p.addObject(m[1])
	}
	if isOffered(calledLike.FindStringSubmatch(p.rest), p.tools) {
		return p.parsePython()
	}
	if p.rest[0] == '{' || p.rest[0] == '[' {
		value, ok := p.value()
		return ok && p.addValue(value)
	}
	return false
}

// value takes one JSON value, which may have the faults that repaired mends.
func (p *callParser) value() (json.RawMessage, bool) {
	for _, text := range []string{p.rest, repaired(p.rest)} {
		d := json.NewDecoder(strings.NewReader(text))
		var v json.RawMessage
		if d.Decode(&v) == nil {
			p.rest = text[d.InputOffset():]
			return v, true
		}
	}
	return nil, false
}

func (p *callParser) addObject(name string) bool {
	value, ok := p.value()
	return ok && p.add(name, string(value))
}

func (p *callParser) add(name, arguments string) bool {
	if !isOffered([]string{"", name}, p.tools) || len(p.calls) >= maxToolCalls {
		return false
	}
	if _, ok := parseArguments(arguments); !ok {
		return false
	}
	p.calls = append(p.calls, writtenCall{Name: name, Arguments: arguments})
	return true
}

// addValue adds the calls of a JSON value: a call, or a list of calls.
func (p *callParser) addValue(value json.RawMessage) bool {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil {
		for _, v := range list {
			if !p.addValue(v) {
				return false
			}
		}
		return true
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(value, &members) != nil {
		return false
	}
	if len(members) == 1 {
		for _, key := range []string{"tool_calls", "tool_call", "function_call", "function"} {
			if inner := members[key]; len(inner) > 0 && (inner[0] == '{' || inner[0] == '[') {
				return p.addValue(inner)
			}
		}
	}
	if inner := members["function"]; len(inner) > 0 && inner[0] == '{' { // OpenAI's own form
		return hasOnly(members, "function", "id", "type", "index") && p.addValue(inner)
	}
	nameKey, hasName := firstKey(members, "name", "tool", "tool_name", "function", "action")
	argumentsKey, hasArguments := firstKey(members, "arguments", "parameters", "args", "input", "tool_input",
		"action_input")
	var name string
	if !hasName || json.Unmarshal(members[nameKey], &name) != nil ||
		!hasOnly(members, nameKey, argumentsKey, "id", "type", "index", "call_id") {
		return false
	}
	arguments := "{}"
	if hasArguments {
		arguments = string(members[argumentsKey])
	}
	return p.add(name, arguments)
}

// firstKey returns the first of the keys that is in members.
func firstKey(members map[string]json.RawMessage, keys ...string) (string, bool) {
	for _, key := range keys {
		if _, found := members[key]; found {
			return key, true
		}
	}
	return "", false
}

// hasOnly reports whether members has no key but these.
func hasOnly(members map[string]json.RawMessage, keys ...string) bool {
	for key := range members {
		if !slices.Contains(keys, key) {
			return false
		}
	}
	return true
}

// parseElement parses the content of an element of the kind up to its end: an object, or parameters as elements.
func (p *callParser) parseElement(kind, name string) bool {
	end := "</" + kind + ">"
	if body := strings.TrimLeft(p.rest, " \t\r\n"); strings.HasPrefix(body, "{") {
		p.rest = body
		ok := p.addObject(name)
		p.rest = strings.TrimPrefix(strings.TrimLeft(p.rest, " \t\r\n"), end)
		return ok
	}
	arguments := map[string]json.RawMessage{}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		m := parameter.FindStringSubmatch(p.rest)
		if m == nil {
			break
		}
		value, rest, found := strings.Cut(p.rest[len(m[0]):], "</parameter>")
		if !found {
			return false
		}
		arguments[m[1]], p.rest = valueOf(value), rest
	}
	if p.rest != "" && !strings.HasPrefix(p.rest, end) {
		return false
	}
	p.rest = strings.TrimPrefix(p.rest, end)
	object, _ := json.Marshal(arguments)
	return p.add(name, string(object))
}

// parsePairs parses arguments as pairs of a key and a value.
func (p *callParser) parsePairs(name string) bool {
	arguments := map[string]json.RawMessage{}
	for {
		m := pair.FindStringSubmatch(p.rest)
		if m == nil {
			break
		}
		arguments[m[1]] = valueOf(m[2])
		p.rest = p.rest[len(m[0]):]
	}
	object, _ := json.Marshal(arguments)
	return len(arguments) > 0 && p.add(name, string(object))
}

// valueOf returns the text of an element as JSON: as it is if it is a JSON value, otherwise as a string.
func valueOf(text string) json.RawMessage {
	trimmed := strings.TrimSpace(text)
	if trimmed != "" && json.Valid([]byte(trimmed)) {
		return json.RawMessage(trimmed)
	}
	quoted, _ := json.Marshal(trimmed)
	return quoted
}

var keyword = regexp.MustCompile(`^\s*([A-Za-z_]\w*)\s*=\s*`)

// parsePython parses one call with keyword arguments, or a list of them.
func (p *callParser) parsePython() bool {
	list := strings.HasPrefix(p.rest, "[")
	p.rest = strings.TrimPrefix(p.rest, "[")
	for {
		m := calledLike.FindStringSubmatch(p.rest)
		if m == nil {
			return false
		}
		p.rest = p.rest[len(m[0]):]
		arguments := map[string]json.RawMessage{}
		for {
			k := keyword.FindStringSubmatch(p.rest)
			if k == nil {
				break
			}
			value, rest, ok := pythonValue(p.rest[len(k[0]):])
			if !ok {
				return false
			}
			arguments[k[1]] = value
			p.rest = strings.TrimPrefix(strings.TrimLeft(rest, " \t\r\n"), ",")
		}
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		if !strings.HasPrefix(p.rest, ")") {
			return false
		}
		p.rest = strings.TrimLeft(p.rest[1:], " \t\r\n")
		if strings.Contains(m[0], "print(") {
			p.rest = strings.TrimPrefix(p.rest, ")")
		}
		object, _ := json.Marshal(arguments)
		if !p.add(m[1], string(object)) {
			return false
		}
		if !list {
			return true
		}
		switch {
		case strings.HasPrefix(p.rest, "]"):
			p.rest = p.rest[1:]
			return true
		case strings.HasPrefix(p.rest, ","):
			p.rest = p.rest[1:]
		default:
			return false
		}
	}
}

// pythonValue returns the literal that s begins with as JSON, and the text behind it.
func pythonValue(s string) (value json.RawMessage, rest string, ok bool) {
	var out strings.Builder
	depth := 0
	for s != "" {
		c := s[0]
		if depth == 0 && (c == ',' || c == ')') {
			break
		}
		switch c {
		case '"', '\'':
			quoted, rest, closed := pythonString(s)
			if !closed {
				return nil, s, false
			}
			out.WriteString(quoted)
			s = rest
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		word, literal := pythonWord(s)
		out.WriteString(literal)
		s = s[len(word):]
	}
	text := out.String()
	return json.RawMessage(text), s, json.Valid([]byte(text))
}

// pythonString returns the string that s begins with as JSON, and the text behind it.
func pythonString(s string) (quoted, rest string, closed bool) {
	var out strings.Builder
	out.WriteByte('"')
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			if i++; s[i] != '\'' {
				out.WriteByte('\\')
			}
		case s[i] == s[0]:
			out.WriteByte('"')
			return out.String(), s[i+1:], true
		case s[i] == '"':
			out.WriteByte('\\')
		case s[i] == '\n':
			out.WriteString(`\n`)
			continue
		}
		out.WriteByte(s[i])
	}
	return "", s, false
}

// pythonWord returns the constant or the byte that s begins with, and its JSON.
func pythonWord(s string) (word, literal string) {
	for word, literal := range map[string]string{"True": "true", "False": "false", "None": "null"} {
		if strings.HasPrefix(s, word) {
			return word, literal
		}
	}
	return s[:1], s[:1]
}
