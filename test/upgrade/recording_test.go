package upgrade

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"errand/internal/llm/providertest"
	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// recording is what a server of the earlier version sent about its database.
type recording struct {
	// RecordedAt is the time at the end of the recording.
	RecordedAt time.Time
	// Responses are those of queries about data that the upgrade must not change.
	Responses []recordedResponse
	// Streams are message streams from their start to the event before the server was killed.
	Streams []recordedStream
	// TaskEvents are alice's task changes from the first.
	TaskEvents []taskEvent
	// KeyedTurn is the turn that alice sent with keyedContent and idempotencyKey.
	KeyedTurn testclient.Turn
	// Notifications are the payloads between replicas during the first stream; PostgreSQL only.
	Notifications []string
}

type recordedResponse struct {
	User, Document string
	Vars           testclient.Vars
	Data           json.RawMessage
}

type recordedStream struct {
	User, ConversationID string
	// Replies are the IDs of the conversation's replies. Those of unfinished conversations finish after the upgrade.
	Replies    []string
	Unfinished bool
	Events     []testclient.Event
}

type taskEvent struct {
	Cursor, Kind string
	Task         struct{ Number int }
}

const (
	idempotencyKey = "from the earlier version"
	keyedContent   = "Plan the weekend"
	taskStreamDoc  = `subscription ($after: Cursor) { taskStream(after: $after) { cursor kind task { number } } }`
)

// fixture returns the path of a file in testdata.
func fixture(name string) string { return filepath.Join("testdata", name) }

func readRecording(t *testing.T, engine string) recording {
	t.Helper()
	var r recording
	require.NoError(t, json.Unmarshal(unpack(t, engine+".json.gz"), &r))
	return r
}

// unpack returns the content of a compressed file in testdata.
func unpack(t *testing.T, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(fixture(name))
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	return data
}

// startModel starts the model of both versions. Replies to "Stall" and "Stall after the tool" never end while stalled.
func startModel(t *testing.T, stalled bool) *harness.Model {
	return harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
		switch {
		case !r.ToolsOffered:
			return harness.TextResponse("The user tests upgrades.")
		case r.UserMessage == "Fail":
			return providertest.JSON(400, `{"error":{"message":"rejected"}}`)
		case r.UserMessage == "Cancel me" || r.UserMessage == "Stall" && stalled:
			return providertest.StreamThenHang(harness.TextFrames("Once upon 🦊 ", "a time")...)
		case r.UserMessage == "Stall after the tool" && len(r.ToolResults) > 0 && stalled:
			return providertest.StreamThenHang(harness.TextFrames("It is ")...)
		case r.UserMessage == "Stall":
			return harness.TextResponse("Once upon 🦊 a time there was ", "an upgrade.")
		case len(r.ToolResults) > 0:
			return harness.TextResponse("It is ", "on the list.")
		case r.UserMessage == "Add two" || r.UserMessage == "Stall after the tool":
			return harness.ToolCallResponse("I will add them. ", harness.AddTaskCall("Räume 🧹 auf"),
				harness.ToolCall{Name: "complete_task", Arguments: `{"number":404}`})
		default:
			return harness.TextResponse("You said: ", r.UserMessage)
		}
	})
}

// settings returns the settings of both versions. The recorded data grows older with time: a limit on its age, such as
// that of the trash, must be set here to outlast it.
func settings(m *harness.Model) []harness.Settings {
	return []harness.Settings{harness.GenerousLimits, m.Settings(), {
		"MIGRATE": "true", "LLM_PRICES": "openai/scripted=1:2:0.5", "LLM_CONTEXT_TOKENS": "6000",
		"RUN_MAX_ATTEMPTS": "3", "TOKENS_PER_DAY": "1000000000",
	}}
}
