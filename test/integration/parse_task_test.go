package integration

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

const parseTaskDoc = `query($text: String!) { parseTask(text: $text) {
	title description priority dueOn dueAt labels uncertain spans { kind start end text } } }`

type parsedTask struct {
	Title, Description, Priority string
	DueOn, DueAt                 *string
	Labels, Uncertain            []string
	Spans                        []struct {
		Kind, Text string
		Start, End int
	}
}

// parseTask parses a text and checks that every span is the part of the text at its offsets.
func parseTask(t *testing.T, c *testclient.Client, text string) parsedTask {
	t.Helper()
	response := c.Try(t, parseTaskDoc, testclient.Vars{"text": text})
	require.Empty(t, response.Errors, response.Raw)
	var data struct{ ParseTask parsedTask }
	require.NoError(t, json.Unmarshal(response.Data, &data))
	units := utf16.Encode([]rune(text))
	end := 0
	for _, s := range data.ParseTask.Spans {
		require.LessOrEqual(t, end, s.Start, text)
		require.Less(t, s.Start, s.End, text)
		end = s.End
		require.Equal(t, string(utf16.Decode(units[s.Start:s.End])), s.Text, text)
	}
	return data.ParseTask
}

func TestParseTask_Text_ReturnsFieldsAndSpans(t *testing.T) {
	harness.EachDatabase(t, func(t *testing.T, b *harness.Env) {
		c := b.Client(t, "alice")
		zone, err := time.LoadLocation("Pacific/Auckland")
		require.NoError(t, err)
		c.Try(t, `mutation { updateViewer(input: {timeZone: "Pacific/Auckland"}) { viewer { id } } }`, nil)
		got := parseTask(t, c, "🦊 call Ann tomorrow at 5pm #family !!, note: bring cake")
		require.Equal(t, "🦊 call Ann", got.Title)
		require.Equal(t, "bring cake", got.Description)
		require.Equal(t, "HIGH", got.Priority)
		require.Equal(t, []string{"family"}, got.Labels)
		require.Empty(t, got.Uncertain)
		require.Nil(t, got.DueOn)
		require.NotNil(t, got.DueAt)
		at, err := time.Parse(time.RFC3339, *got.DueAt)
		require.NoError(t, err)
		require.Equal(t, "17:00", at.In(zone).Format("15:04"))
		require.Equal(t, "DUE", got.Spans[0].Kind)
		require.Equal(t, "tomorrow at 5pm", got.Spans[0].Text)
		require.Len(t, got.Spans, 4)

		got = parseTask(t, c, "pay rent by 2031-01-31")
		require.Equal(t, "2031-01-31", *got.DueOn)
		require.Equal(t, "NONE", got.Priority)

		got = parseTask(t, c, "call Ann tomorrow or friday #family")
		require.Equal(t, "Call Ann tomorrow or friday", got.Title)
		require.Equal(t, []string{"tomorrow", "or friday"}, got.Uncertain)
		require.Nil(t, got.DueOn)
		require.Nil(t, got.DueAt)

		require.Empty(t, parseTask(t, c, "").Title)
		require.Len(t, parseTask(t, c, repeatEmoji(8000)).Title, 4*8000)
		requireField(t, "text", c.Try(t, parseTaskDoc, testclient.Vars{"text": repeatEmoji(8001)}))
		require.Empty(t, harness.AllTasks(t, c), "nothing is stored")

		harness.RequireErrorCode(t, "UNAUTHENTICATED",
			testclient.New(t, b.URL(), "").Try(t, parseTaskDoc, testclient.Vars{"text": "x"}))
		harness.RequireErrorCode(t, "FORBIDDEN",
			b.ClientWithScopes(t, "alice", "chat").Try(t, parseTaskDoc, testclient.Vars{"text": "x"}))
		many := "{" + strings.Repeat(" x: parseTask(text: \"a\") { title }", 1)
		for i := range 10 {
			many += " x" + string(rune('a'+i)) + ": parseTask(text: \"a\") { title }"
		}
		harness.RequireErrorCode(t, "COMPLEXITY_LIMIT_EXCEEDED", c.Try(t, many+"}", nil))
	})
}
