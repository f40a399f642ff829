package llm

import (
	"regexp"
	"strings"
)

// callMarkers begin tool calls that models write as text.
var callMarkers = []string{
	"<tool_call", "<|tool_call", "<function=", "<function_call", "<functioncall", "<tool_use>", "<tools>", "<invoke name=",
	"<minimax:tool_call", "[tool_calls]", "<|python_tag|>", "<｜tool", "<|tool", "<|channel|>commentary to=",
	"<|start|>assistant to=", "<|action_start|>", "<function name=",
}

var (
	listOfCalls   = regexp.MustCompile(`^\[\s*([A-Za-z_][\w.-]*)\s*\(`)
	listMayFollow = regexp.MustCompile(`^\[\s*(?:[A-Za-z_][\w.-]{0,63}\s*)?$`)
	bareCall      = regexp.MustCompile(`^(?:print\()?([A-Za-z_][\w.-]*)\(`)
	bareMayFollow = regexp.MustCompile(`^(?:print\()?(?:[A-Za-z_][\w.-]{0,63})?$`)
	fencedCall    = regexp.MustCompile("^```[ \t]*(\\w*)[ \t]*(?:\r?\n\\s*([A-Za-z_<])|\\s*([{\\[]))")
	fenceHead     = regexp.MustCompile("^```[ \t]*\\w{0,16}[ \t]*(?:\r?\n\\s*)?$")
)

// beginsCall reports whether a tool call written as text may begin with s, which begins a line. more means that more
// text is needed to decide.
func beginsCall(s string, tools []Tool, end bool) (isCall, more bool) {
	if len(tools) == 0 {
		return false, false
	}
	lower := asciiLower(s[:min(len(s), 40)])
	for _, marker := range callMarkers {
		if strings.HasPrefix(lower, marker) {
			return true, false
		}
		more = more || strings.HasPrefix(marker, lower)
	}
	switch s[0] {
	case '{':
		return true, false
	case '[':
		rest := strings.TrimLeft(s[1:], " \t\r\n")
		if strings.HasPrefix(rest, "{") || isOffered(listOfCalls.FindStringSubmatch(s), tools) {
			return true, false
		}
		more = more || listMayFollow.MatchString(s)
	case '`':
		var moreInBlock bool
		if isCall, moreInBlock = beginsFencedCall(s, tools, end); isCall {
			return true, false
		}
		more = more || moreInBlock
	default:
		if isOffered(bareCall.FindStringSubmatch(s), tools) {
			return true, false
		}
		for _, t := range tools {
			more = more || strings.HasPrefix(t.Name+"(", s)
		}
	}
	return false, more && !end
}

// beginsFencedCall is beginsCall for a code block.
func beginsFencedCall(s string, tools []Tool, end bool) (isCall, more bool) {
	m := fencedCall.FindStringSubmatch(s)
	if m == nil {
		return false, fenceHead.MatchString(s) || strings.HasPrefix("```", s)
	}
	switch m[1] {
	case "", "json", "tool_call", "tool_calls", "tool_code", "tool", "function", "function_call", "xml", "python":
	default:
		return false, false
	}
	if m[3] != "" {
		return true, false
	}
	_, body, _ := strings.Cut(s, "\n")
	body = strings.TrimLeft(body, " \t\r\n")
	isCall, more = beginsCall(body, tools, end)
	return isCall, !isCall && (more || bareMayFollow.MatchString(body))
}

// isOffered reports whether the first group of a match is the name of one of the tools.
func isOffered(match []string, tools []Tool) bool {
	if match == nil {
		return false
	}
	name := canonicalToolName(match[1], tools)
	for _, t := range tools {
		if t.Name == name {
			return true
		}
	}
	return false
}
