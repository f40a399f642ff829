package llm

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestJoinArguments_AnySplit_YieldsObject splits objects into chunks at every set of positions and adds the repetitions
// that servers are known to send.
func TestJoinArguments_AnySplit_YieldsObject(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"{}", "null", `""`, "```json", `{"a":1}`, `\`, `"`, "<|im_end|>", "</tool_call>", ",}", "\n", "\uFEFF", "}",
	}))
	rapid.Check(t, func(t *rapid.T) {
		object := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			key := texts.Draw(t, "key")
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				object[key] = map[string]any{texts.Draw(t, "inner key"): texts.Draw(t, "inner value")}
			case 1:
				object[key] = []any{texts.Draw(t, "item"), nil, true}
			case 2:
				object[key] = rapid.Float64Range(-1e6, 1e6).Draw(t, "number")
			default:
				object[key] = texts.Draw(t, "value")
			}
		}
		data, err := json.Marshal(object)
		require.NoError(t, err)
		var chunks []string
		for rest := string(data); rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "length")
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		growing := make([]string, len(chunks))
		for i := range chunks {
			growing[i] = strings.Join(chunks[:i+1], "")
		}
		encoded, _ := json.Marshal(string(data))
		for form, fragments := range map[string][]string{
			"pieces":       chunks,
			"empty first":  append([]string{"{}"}, chunks...),
			"empty last":   append(append([]string{}, chunks...), "{}"),
			"twice":        append(append([]string{}, chunks...), string(data)),
			"growing":      growing,
			"encoded":      {string(encoded[:len(encoded)/2]), string(encoded[len(encoded)/2:])},
			"fenced":       {"```json\n", string(data), "\n```"},
			"with a token": append(append([]string{}, chunks...), "<|im_end|>"),
		} {
			require.JSONEq(t, string(data), JoinArguments(fragments...), form)
		}
	})
}

func FuzzJoinArguments(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"a":1}`, "```json\n{\"a\":[1,],}\n```",
		`"{\"a\":1}"`, `{"a":"`, "{}{}}", `[{}]`,
	} {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, s string, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		var fragments []string
		for rest := s; rest != ""; {
			n := 1 + random.IntN(len(rest))
			fragments = append(fragments, rest[:n])
			rest = rest[n:]
		}
		joined := JoinArguments(fragments...)
		if object, ok := parseArguments(joined); ok {
			var members map[string]any
			require.NoError(t, json.Unmarshal(object, &members), "%q", object)
			require.NotNil(t, members)
		}
	})
}
