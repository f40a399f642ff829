package llm

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
)

// optionalMembers are the members of requests that a call can do without, because they change its cost or its style. A
// server that rejects one gets requests without it from then on.
var optionalMembers = []string{
	"stream_options", "parallel_tool_calls", "reasoning_effort", "reasoning", "thinking", "chat_template_kwargs", "think",
	"temperature", "top_p", "tool_choice", "max_tokens", "max_completion_tokens", "max_output_tokens", "cache_control",
	"prompt_cache_key", "store", "include", "service_tier", "seed", "verbosity", "output_config",
}

// reasoningMembers are the optional members that control thinking, in the order in which they are left out. Servers
// that reject one often do not name it, such as Ollama: "invalid reasoning value".
var reasoningMembers = []string{
	"chat_template_kwargs", "reasoning_effort", "reasoning", "thinking", "output_config", thinkingConfig,
}

// thinkingConfig is the member of Gemini's generationConfig that controls thinking.
const thinkingConfig = "thinkingConfig"

// renamedMembers are members that some servers have under another name.
var renamedMembers = map[string]string{
	"max_tokens":            "max_completion_tokens",
	"max_completion_tokens": "max_tokens",
}

// callIDs stands for the form of call ids among the optional members.
const callIDs = "tool_call_id"

var (
	aboutCallIDs   = regexp.MustCompile(`(?i)tool.?call.?id|call_id|\bid\b.{0,80}(?:length|alphanumeric|pattern|must be)`)
	aboutReasoning = regexp.MustCompile(`(?i)reasoning|thinking`)
	// aboutUnknown matches errors about members that the server does not know, which it may not name.
	aboutUnknown = regexp.MustCompile(`(?i)unrecogni[sz]ed|unknown (?:field|param|arg|key|name)|extra (?:field|input)|` +
		`unexpected (?:field|param|key|arg)|(?:param|field|argument|propert)\w*\W.{0,60}not (?:permitted|supported|allowed)`)
)

// mentionedMembers returns the optional members that the body of an error names, in the order of the body. The list
// has words of this package only.
func mentionedMembers(status int, body []byte) []string {
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
		return nil
	}
	text := asciiLower(string(body))
	var found []string
	for text != "" {
		at, first := -1, ""
		for _, name := range optionalMembers {
			i := indexWord(text, name)
			if i >= 0 && (at < 0 || i < at || i == at && len(name) > len(first)) {
				at, first = i, name
			}
		}
		if at < 0 {
			break
		}
		found = append(found, first)
		text = text[at+len(first):]
	}
	if aboutCallIDs.Match(body) {
		found = append(found, callIDs)
	}
	if aboutReasoning.Match(body) {
		found = append(found, reasoningMembers...)
	}
	if len(found) == 0 && aboutUnknown.Match(body) {
		found = append(found, "stream_options", "chat_template_kwargs", "reasoning_effort")
	}
	return found
}

// indexWord returns the index of word in text where no letter, digit or underscore adjoins, -1 if there is none.
func indexWord(text, word string) int {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789_"
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || strings.IndexByte(letters, text[i-1]) < 0) &&
			(end == len(text) || strings.IndexByte(letters, text[end]) < 0) {
			return i
		}
		from = end
	}
}

// encode returns the JSON of a request without the members that the server has rejected.
func (c *Client) encode(body any) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	members := map[string]json.RawMessage{}
	changed := false
	for _, name := range optionalMembers {
		if _, rejected := c.rejected.Load(name); !rejected {
			continue
		}
		if !changed {
			if err := json.Unmarshal(data, &members); err != nil {
				return nil, err
			}
		}
		changed = true
		value, sent := members[name]
		delete(members, name)
		other := renamedMembers[name]
		if _, alsoRejected := c.rejected.Load(other); sent && other != "" && !alsoRejected {
			members[other] = value
		}
	}
	if _, rejected := c.rejected.Load(thinkingConfig); rejected {
		return withoutThinkingConfig(data)
	}
	if !changed {
		return data, nil
	}
	return json.Marshal(members)
}

// withoutThinkingConfig returns a request to Gemini without its thinkingConfig.
func withoutThinkingConfig(data []byte) ([]byte, error) {
	var members, generation map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(members["generationConfig"], &generation); err != nil {
		return nil, err
	}
	delete(generation, thinkingConfig)
	var err error
	if members["generationConfig"], err = json.Marshal(generation); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// reject records the optional member of body that the server has rejected, and reports whether there is one.
func (c *Client) reject(err error, body []byte) bool {
	var e *Error
	if !errors.As(err, &e) || e.Reason == ReasonContextLength || e.Reason == ReasonNoCredit {
		return false
	}
	members := map[string]json.RawMessage{}
	_ = json.Unmarshal(body, &members)
	for _, name := range e.mentions {
		_, sent := members[name]
		if name == callIDs || name == thinkingConfig {
			sent = strings.Contains(string(body), `"`+name+`":`)
		}
		if _, known := c.rejected.LoadOrStore(name, true); sent && !known {
			c.logger().Warn("the server rejects a member of requests, which is left out or changed from now on",
				"provider", c.config.Provider, "model", c.config.Model, "member", name)
			return true
		} else if !sent && !known {
			c.rejected.Delete(name)
		}
	}
	return false
}
