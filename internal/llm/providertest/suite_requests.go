package providertest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// testRequests checks what every request contains, in any format.
func (s Suite) testRequests(t *testing.T) {
	t.Run("second part of the user's message", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.Text("Two.")...))
		messages := append(Messages(), llms.TextParts(llms.ChatMessageTypeAI, "Two tasks."),
			llms.TextParts(llms.ChatMessageTypeHuman, "And at noon?", "It is ten."))
		_, err := e.model.GenerateContent(t.Context(), messages)
		require.NoError(t, err)
		body := string(e.Requests()[0].Body)
		words, note := strings.Index(body, "And at noon?"), strings.Index(body, "It is ten.")
		require.Positive(t, words)
		require.Greater(t, note, words, "the note follows the words")
	})
	t.Run("no tool calls allowed", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.Text("Two.")...))
		for _, choice := range []string{"auto", "none"} {
			_, err := e.model.GenerateContent(t.Context(), Messages(), llms.WithTools(Tools()), llms.WithToolChoice(choice))
			require.NoError(t, err)
		}
		allowed, forbidden := e.Requests()[0], e.Requests()[1]
		require.Equal(t, allowed.JSON(t)["tools"], forbidden.JSON(t)["tools"], "the cached prefix begins with the tools")
		require.Contains(t, strings.ToLower(string(forbidden.Body)), `"none"`)
	})
}
