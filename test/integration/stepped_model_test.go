package integration

import (
	"io"
	"net/http"
	"testing"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// stepper releases a model's response piece by piece.
type stepper chan struct{}

// respond returns a response that sends a piece of text each time one is released, then the tool calls.
func (p stepper) respond(pieces []string, calls ...harness.ToolCall) providertest.Step {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		control := http.NewResponseController(w)
		for _, frame := range harness.TextFrames(pieces...) {
			select {
			case <-p:
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, frame)
			_ = control.Flush()
		}
		rest := harness.TextResponse()
		if len(calls) > 0 {
			rest = harness.ToolCallResponse("", calls...)
		}
		rest(headerlessWriter{w}, r)
	}
}

// headerlessWriter is a response writer whose header has already been written.
type headerlessWriter struct{ http.ResponseWriter }

// WriteHeader does nothing.
func (headerlessWriter) WriteHeader(int) {}

// Unwrap serves http.ResponseController.
func (w headerlessWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// The stepped turn: text, a tool, text, a tool, text.
var (
	steppedPieces = [][]string{{"One ", "🦊 two"}, {"thrée ", "four"}, {"five", " 🦊🦊 ", "six."}}
	steppedText   = "One 🦊 two\n\nthrée four\n\nfive 🦊🦊 six."
)

// startSteppedModel starts a model that returns the stepped turn, one piece for each value sent.
func startSteppedModel(t *testing.T, p stepper) *harness.Model {
	return harness.StartModel(t, func(a harness.ModelRequest) providertest.Step {
		if a.UserMessage != "Go" {
			return harness.TextResponse("Done.")
		}
		calls := [][]harness.ToolCall{{harness.AddTaskCall("A")}, {harness.AddTaskCall("B")}, nil}
		return p.respond(steppedPieces[len(a.ToolResults)], calls[len(a.ToolResults)]...)
	})
}

// releaseNext releases the model's next piece and reads the resulting events: a delta and, if the piece is the last
// before a tool call, the changes of the call.
func (p stepper) releaseNext(t *testing.T, s *testclient.Stream, beforeToolCall bool) {
	t.Helper()
	p <- struct{}{}
	e := s.NextEvent(t)
	require.Equal(t, "MessageDelta", e.Kind)
	if !beforeToolCall {
		return
	}
	for _, status := range []string{"STARTED", "SUCCEEDED"} {
		e := s.NextEvent(t)
		require.Equal(t, "ToolCallChanged", e.Kind)
		require.Equal(t, status, e.ToolCall.Status)
	}
}
