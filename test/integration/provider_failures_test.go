package integration

import (
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/internal/doctor"
	"errand/internal/llm/providertest"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// TestReply_ProviderFailure_NamesReason checks that a reply whose model call fails in a way that a retry cannot fix
// fails after one request, with a message that names the reason.
func TestReply_ProviderFailure_NamesReason(t *testing.T) {
	steps := map[string]providertest.Step{}
	for _, f := range providertest.Failures {
		steps[f.Name] = f.Step
	}
	model := func(t *testing.T) *harness.Model {
		return harness.StartModel(t, func(r harness.ModelRequest) providertest.Step {
			for name, step := range steps {
				if strings.HasPrefix(r.UserMessage, name+".") {
					return step
				}
			}
			return harness.TextResponse("Hello.")
		})
	}
	eachScriptedModel(t, model, func(t *testing.T, b *harness.Env, m *harness.Model) {
		client := b.Client(t, "alice")
		for _, f := range providertest.Failures {
			if !f.Permanent {
				continue
			}
			before := len(m.Requests())
			conversation := &harness.Conversation{Client: client}
			reply := conversation.SendAndWait(t, f.Name+".")
			require.Equal(t, "FAILED", reply.Status, f.Name)
			reason := string(f.Reason)
			require.Equal(t, enum.NewMessageError(reply.Error.Code, &reason).Message, reply.Error.Message, f.Name)
			require.Len(t, m.Requests(), before+1, "%s: a repeated request would fail again", f.Name)
			require.Equal(t, "COMPLETED", conversation.SendAndWait(t, "Hello").Status, f.Name)
		}
	}, harness.Settings{"MESSAGES_PER_MINUTE": "10000"})
}

// TestDoctor_ProviderFailure_NamesReasonAndFix checks that the doctor names what a wrong address is.
func TestDoctor_ProviderFailure_NamesReasonAndFix(t *testing.T) {
	t.Parallel()
	for name, expected := range map[string]struct{ problem, fix string }{
		"web page":               {"the model's address answers with a web page", "base URL"},
		"detail":                 {"not with a response of the provider's API", "base URL"},
		"sign-in redirect":       {"redirects", "base URL"},
		"FastAPI's 404":          {"no model API at this path", "path of the base URL"},
		"Ollama's unknown model": {"there is no such model", "ollama pull"},
		"OpenAI's quota":         {"no credit", "LLM_FALLBACK"},
		"HTTP on HTTPS":          {"begins with http", "base URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, provider := range []string{"openai", "gemini", "anthropic", "ollama"} {
				m := harness.StartModel(t, func(harness.ModelRequest) providertest.Step {
					for _, f := range providertest.Failures {
						if f.Name == name {
							return f.Step
						}
					}
					panic("no such failure: " + name)
				})
				m.Provider = provider
				table, sick := runDoctor(t, healthySettings(testdb.SQLiteURL(t), m.Settings()))
				require.True(t, sick)
				require.Regexp(t, tableRow("model", doctor.Failed, expected.problem), table)
				require.Contains(t, adviceOf(t, table, "model"), expected.fix)
			}
		})
	}
}
