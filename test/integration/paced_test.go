package integration

import (
	"io"
	"net/http"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
)

// pace lets a model say its next piece.
type pace chan struct{}

// say is a complete answer whose pieces wait for the pace, one by one. Uses end it when there are any.
func (p pace) say(pieces []string, uses ...toolUse) providertest.Step {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		control := http.NewResponseController(w)
		for _, frame := range textFrames(pieces...) {
			select {
			case <-p:
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, frame)
			_ = control.Flush()
		}
		rest := sayText()
		if len(uses) > 0 {
			rest = useTools("", uses...)
		}
		rest(unheaded{w}, r)
	}
}

// unheaded is a response whose header is out already.
type unheaded struct{ http.ResponseWriter }

// WriteHeader does nothing.
func (unheaded) WriteHeader(int) {}

// Unwrap serves http.ResponseController.
func (u unheaded) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// The paced turn: text, a tool, text, a tool, text.
var (
	pacedPieces = [][]string{{"One ", "🦊 two"}, {"thrée ", "four"}, {"five", " 🦊🦊 ", "six."}}
	pacedText   = "One 🦊 two\n\nthrée four\n\nfive 🦊🦊 six."
)

// pacedModel answers everything with the paced turn, one piece for each value sent.
func pacedModel(t *testing.T, p pace) *model {
	return scripted(t, func(a asked) providertest.Step {
		if a.said != "Go" {
			return sayText("Done.")
		}
		uses := [][]toolUse{{addTask("A")}, {addTask("B")}, nil}
		return p.say(pacedPieces[len(a.results)], uses[len(a.results)]...)
	})
}

// release lets the model say one piece and reads the events that come of it: the text, and
// after the last piece of a step what its tool does.
func (p pace) release(t *testing.T, s *testclient.Stream, last bool) {
	t.Helper()
	p <- struct{}{}
	e := s.NextEvent(t)
	require.Equal(t, "MessageDelta", e.Kind)
	if !last {
		return
	}
	for _, status := range []string{"STARTED", "SUCCEEDED"} {
		e := s.NextEvent(t)
		require.Equal(t, "ToolCallChanged", e.Kind)
		require.Equal(t, status, e.ToolCall.Status)
	}
}
