package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"errand/internal/llm"
)

// maxToolCalls is the maximum number of tool calls in one stream.
const maxToolCalls = 256

// toolCalls are the tool calls of a response.
type toolCalls struct {
	list []*partialToolCall // in the order in which they began
	// offered reports whether a name means a tool that the model may call.
	offered func(name string) bool
}

// partialToolCall is a tool call that deltas add to.
type partialToolCall struct {
	index int
	// alias is another index at which deltas with the call's id came.
	alias        llm.Number
	id, name     string
	arguments    []string
	extraContent json.RawMessage
}

// add adds a delta to its call.
func (t *toolCalls) add(c callDelta) {
	call := t.find(c)
	if call == nil {
		call = &partialToolCall{index: len(t.list)}
		if hasIndex(c) {
			call.index = c.Index.Value
		}
		t.list = append(t.list, call)
	}
	if hasIndex(c) && !call.isAt(c.Index.Value) {
		call.alias = c.Index
	}
	if call.id == "" {
		call.id = string(c.ID)
	}
	call.addName(string(c.Function.Name))
	if c.Function.Arguments != "" {
		call.arguments = append(call.arguments, string(c.Function.Arguments))
	}
	if c.ExtraContent != nil {
		call.extraContent = c.ExtraContent
	}
}

// addName adds a piece of the name. Some servers repeat the name, or the part of it so far, in every delta.
func (p *partialToolCall) addName(piece string) {
	if strings.HasPrefix(piece, p.name) {
		p.name = piece
		return
	}
	p.name += piece
}

// hasIndex reports whether a delta has a usable index.
func hasIndex(c callDelta) bool { return c.Index.Valid && c.Index.Value >= 0 }

func (p *partialToolCall) isAt(index int) bool {
	return p.index == index || p.alias.Valid && p.alias.Value == index
}

// find returns the call that a delta belongs to, nil if the delta begins a call. The id decides, because some servers
// send all calls at one index, and others change the index of a call.
func (t *toolCalls) find(c callDelta) *partialToolCall {
	atIndex := t.latest(func(p *partialToolCall) bool { return !hasIndex(c) || p.isAt(c.Index.Value) })
	if c.ID != "" {
		return t.findByID(c, atIndex)
	}
	switch {
	case atIndex == nil && c.Function.Name == "": // a fragment at an index without a call
		return t.latest(func(*partialToolCall) bool { return true })
	case atIndex == nil, t.isOther(atIndex, c):
		return nil
	case !hasIndex(c) && c.Function.Name != "" && atIndex.isComplete():
		return nil
	default:
		return atIndex
	}
}

// findByID returns the call of a delta with an id. atIndex is the latest call at its index or, without an index, the
// latest call.
func (t *toolCalls) findByID(c callDelta, atIndex *partialToolCall) *partialToolCall {
	id := string(c.ID)
	known := t.latest(func(p *partialToolCall) bool { return p.id == id && hasIndex(c) && p.isAt(c.Index.Value) })
	if known == nil {
		known = t.latest(func(p *partialToolCall) bool { return p.id == id })
	}
	named := c.Function.Name != ""
	switch {
	case known != nil && (t.isOther(known, c) || known.isElsewhere(c) && known.isComplete()):
		return nil // servers that give all calls one id
	case known != nil:
		return known
	case atIndex == nil || named && atIndex.name != "":
		return nil
	case atIndex.id == "": // the id comes late
		return atIndex
	case named || c.Function.Arguments == "" || len(atIndex.arguments) == 0 || atIndex.isComplete():
		return nil
	default: // servers that make a new id for every delta
		return atIndex
	}
}

func (t *toolCalls) latest(match func(*partialToolCall) bool) *partialToolCall {
	for _, p := range slices.Backward(t.list) {
		if match(p) {
			return p
		}
	}
	return nil
}

// isOther reports whether the delta has the name of another call, as opposed to a further piece of the name.
func (t *toolCalls) isOther(p *partialToolCall, c callDelta) bool {
	name := string(c.Function.Name)
	return name != "" && p.name != "" && !strings.HasPrefix(name, p.name) && (len(p.arguments) > 0 || t.offered(name))
}

// isElsewhere reports whether the delta begins a call at another index.
func (p *partialToolCall) isElsewhere(c callDelta) bool {
	return c.Function.Name != "" && hasIndex(c) && !p.isAt(c.Index.Value)
}

// isComplete reports whether the arguments so far are an object with members.
func (p *partialToolCall) isComplete() bool {
	last := len(p.arguments) - 1
	if last < 0 || !strings.HasSuffix(strings.TrimSpace(p.arguments[last]), "}") {
		return false
	}
	var members map[string]json.RawMessage
	return json.Unmarshal([]byte(llm.JoinArguments(p.arguments...)), &members) == nil && len(members) > 0
}

// sorted returns the calls in the order of their indexes, without calls that repeat another with the same id.
func (t *toolCalls) sorted() []*partialToolCall {
	var out []*partialToolCall
	for _, p := range t.list {
		repeated := slices.ContainsFunc(out, func(o *partialToolCall) bool {
			return p.id != "" && o.id == p.id && o.name == p.name &&
				llm.JoinArguments(o.arguments...) == llm.JoinArguments(p.arguments...)
		})
		if !repeated {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(x, y *partialToolCall) int { return x.index - y.index })
	return out
}
