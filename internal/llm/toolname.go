package llm

import "strings"

// canonicalToolName returns the name of the offered tool that a model means by name. Models write names with a
// namespace ("functions.add_task"), with tokens of their templates behind them ("add_task<|channel|>commentary"), with
// a counter ("functions.add_task:0"), or in another case ("addTask", "add-task"). The name is returned trimmed if it
// means none or more than one of the tools.
func canonicalToolName(name string, tools []Tool) string {
	name = strings.Trim(name, " \t\r\n\"'`")
	for _, t := range tools {
		if t.Name == name {
			return name
		}
	}
	plain := withoutTokens(name)
	candidates := []string{plain}
	for _, separator := range []string{".", "/", ":", "__"} {
		if i := strings.LastIndex(plain, separator); i >= 0 {
			candidates = append(candidates, plain[i+len(separator):])
		}
	}
	if i := strings.LastIndex(plain, ":"); i >= 0 && isDigits(plain[i+1:]) {
		plain = plain[:i]
		candidates = append(candidates, plain, plain[strings.LastIndexAny(plain, "./")+1:])
	}
	for _, candidate := range candidates {
		if found := matchTool(candidate, tools); found != "" {
			return found
		}
	}
	return name
}

// matchTool returns the only tool whose folded name is that of name, "" if there is not exactly one.
func matchTool(name string, tools []Tool) string {
	folded, found := foldToolName(name), ""
	for _, t := range tools {
		if folded == "" || foldToolName(t.Name) != folded {
			continue
		}
		if found != "" {
			return ""
		}
		found = t.Name
	}
	return found
}

// withoutTokens cuts a name at the first special token, markup or argument list, or drops a token before the name.
func withoutTokens(name string) string {
	for strings.HasPrefix(name, "<") {
		_, rest, found := strings.Cut(name, ">")
		if !found {
			break
		}
		name = rest
	}
	if i := strings.IndexAny(name, "<([{"); i >= 0 {
		name = name[:i]
	}
	return strings.TrimSpace(name)
}

// foldToolName returns a name in lower case without the marks between its words.
func foldToolName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- ", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// maxReplayedName is the length of tool names that every provider accepts.
const maxReplayedName = 64

// replayableName returns a name that every provider accepts in a history: a model may have called a tool by a name that
// no tool can have, and a provider would reject the conversation from then on.
func replayableName(name string) string {
	valid := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name)
	if valid == "" {
		return unknownTool
	}
	return valid[:min(len(valid), maxReplayedName)]
}

// unknownTool is the name of calls without a name.
const unknownTool = "unknown"
