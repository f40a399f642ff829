package providertest

import (
	"compress/gzip"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"errand/internal/llm"

	"github.com/stretchr/testify/require"
)

// Page is an HTML page as sites, proxies and sign-in pages send it.
const Page = "<!doctype html><html><title>Sign in</title><p>" + ProviderText + "</p></html>"

// HTML sends an HTML page.
func HTML(status int) Step {
	return JSON(status, Page, "Content-Type", "text/html; charset=utf-8")
}

// Gzip sends the body that step sends, compressed, without announcing it.
func Gzip(step Step) Step {
	return func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		step(recorded, r)
		w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		w.WriteHeader(recorded.Code)
		z := gzip.NewWriter(w)
		_, _ = io.Copy(z, recorded.Body)
		_ = z.Close()
	}
}

// Failures are responses that mean the same in every provider's format, with the reason that each has and whether it is
// permanent. Error bodies are those of servers in the field.
var Failures = []struct {
	Name      string
	Step      Step
	Reason    llm.Reason
	Permanent bool
}{
	{"web page", HTML(200), llm.ReasonWebPage, true},
	{"web page of JSON type", JSON(200, "\n "+Page), llm.ReasonWebPage, true},
	{"web page with 403", HTML(403), llm.ReasonWebPage, true},
	{"web page with 404", HTML(404), llm.ReasonPathNotFound, true},
	{"web page with 502", HTML(502), "", false},
	{"detail", JSON(200, `{"detail":"`+ProviderText+`"}`), llm.ReasonNotAnAPI, true},
	{"status", JSON(200, `{"status":"ok"}`), llm.ReasonNotAnAPI, true},
	{"empty object", JSON(200, `{}`), llm.ReasonNotAnAPI, true},
	{"empty list", JSON(200, `[]`), llm.ReasonNotAnAPI, true},
	{"plain text", JSON(200, "Ollama is running"), llm.ReasonNotAnAPI, true},
	{"sign-in redirect", JSON(302, Page, "Location", "/login"), llm.ReasonRedirect, true},
	{"FastAPI's 404", JSON(404, `{"detail":"Not Found"}`), llm.ReasonPathNotFound, true},
	{"Go's 404", JSON(404, "404 page not found"), llm.ReasonPathNotFound, true},
	{"OpenAI's 404 of a path", JSON(404, `{"error":{"message":"Invalid URL (POST /chat/completions)",`+
		`"type":"invalid_request_error"}}`), llm.ReasonPathNotFound, true},
	{
		"llama.cpp's 404", JSON(404, `{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}`),
		llm.ReasonPathNotFound, true,
	},
	{"405", JSON(405, "Method Not Allowed"), llm.ReasonPathNotFound, true},
	{"Ollama's unknown model", JSON(404, `{"error":{"message":"model \"x\" not found, try pulling it first",`+
		`"type":"api_error"}}`), llm.ReasonModelNotFound, true},
	{"Ollama's unknown model as text", JSON(404, `{"error":"model 'x' not found"}`), llm.ReasonModelNotFound, true},
	{
		"vLLM's unknown model", JSON(404, "{\"error\":{\"message\":\"The model `x` does not exist.\",\"code\":404}}"),
		llm.ReasonModelNotFound, true,
	},
	{
		"OpenRouter's unknown model", JSON(400, `{"error":{"message":"x is not a valid model ID","code":400}}`),
		llm.ReasonModelNotFound, true,
	},
	{"unknown model with 200", JSON(200, `{"error":"model 'x' not found"}`), llm.ReasonModelNotFound, true},
	{"Ollama's model without tools", JSON(400, `{"error":{"message":"registry.ollama.ai/library/x does not support `+
		`tools"}}`), llm.ReasonToolsRejected, true},
	{"401", JSON(401, `{"error":{"message":"`+ProviderText+`"}}`), llm.ReasonKeyRejected, true},
	{"401 without a report", JSON(401, `{"detail":"Unauthorized"}`), llm.ReasonKeyRejected, true},
	{"403", JSON(403, `{"error":{"message":"`+ProviderText+`"}}`), llm.ReasonKeyRejected, true},
	{"Gemini's key", JSON(400, `{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":`+
		`"API_KEY_INVALID"}]}}`), llm.ReasonKeyRejected, true},
	{
		"OpenAI's quota", JSON(429, `{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}`),
		llm.ReasonNoCredit, true,
	},
	{"Anthropic's credit", JSON(400, `{"type":"error","error":{"type":"invalid_request_error","message":"Your credit `+
		`balance is too low"}}`), llm.ReasonNoCredit, true},
	{"402", JSON(402, `{"error":{"message":"Insufficient Balance"}}`), llm.ReasonNoCredit, true},
	{"Gemini's daily quota", JSON(429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":`+
		`[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}`), llm.ReasonNoCredit, true},
	{"rate limit", JSON(429, `{"error":{"code":"rate_limit_exceeded"}}`), llm.ReasonRateLimit, false},
	{
		"rate limit of a model's context", JSON(429, `{"error":{"message":"maximum number of tokens per minute"}}`),
		llm.ReasonRateLimit, false,
	},
	{
		"context length by code", JSON(400, `{"error":{"code":"context_length_exceeded"}}`),
		llm.ReasonContextLength, true,
	},
	{
		"context length by text", JSON(400, `{"error":{"message":"This model's maximum context length is 4096 tokens"}}`),
		llm.ReasonContextLength, true,
	},
	{"Anthropic's context length", JSON(400, `{"error":{"type":"invalid_request_error","message":"prompt is too `+
		`long: 210000 tokens > 200000 maximum"}}`), llm.ReasonContextLength, true},
	{"413", HTML(413), llm.ReasonTooLarge, true},
	{
		"Azure's content filter", JSON(400, `{"error":{"code":"content_filter","message":"`+ProviderText+`"}}`),
		llm.ReasonContentFilter, true,
	},
	{"HTTP on HTTPS", JSON(400, "Client sent an HTTP request to an HTTPS server.\n"), llm.ReasonHTTPOnHTTPS, true},
	{"compressed error", Gzip(JSON(404, `{"error":"model 'x' not found"}`)), llm.ReasonModelNotFound, true},
	{"compressed page", Gzip(HTML(200)), llm.ReasonWebPage, true},
	{"overloaded", JSON(503, `{"error":{"message":"model is not available"}}`), llm.ReasonOverloaded, false},
}

func (s Suite) testReasons(t *testing.T) {
	for _, f := range Failures {
		t.Run(f.Name, func(t *testing.T) {
			e := s.newEnvironment(t, 0, f.Step)
			_, err := e.generate(t.Context())
			require.Error(t, err)
			require.Equal(t, f.Reason, llm.ReasonOf(err), "%v", err)
			require.Equal(t, !f.Permanent, llm.Transient(err), "%v", err)
			e.requireNoSecrets(t, err)
			if f.Permanent {
				require.Len(t, e.Requests(), 1, "a repeated request would fail again")
			}
		})
	}
	t.Run("compressed stream", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Gzip(Stream(s.Text("Hello ", "there")...)))
		c, err := e.generate(t.Context())
		require.NoError(t, err)
		require.Equal(t, "Hello there", c.Content)
	})
	t.Run("token limit within a call", func(t *testing.T) {
		e := s.newEnvironment(t, 0, Stream(s.CallAtTokenLimit...))
		_, err := e.generate(t.Context())
		require.Equal(t, llm.ReasonTokenLimit, llm.ReasonOf(err))
		require.False(t, llm.Transient(err))
	})
	t.Run("nothing listens", func(t *testing.T) {
		require.Equal(t, llm.ReasonRefused, s.reasonAt(t, "http://127.0.0.1:1"))
	})
	t.Run("unknown host", func(t *testing.T) {
		require.Equal(t, llm.ReasonUnknownHost, s.reasonAt(t, "http://errand.invalid"))
	})
	t.Run("https at an HTTP server", func(t *testing.T) {
		server := NewServer(t, Stream(s.Text("Hello")...))
		require.Equal(t, llm.ReasonHTTPOnHTTPS, s.reasonAt(t, strings.Replace(server.URL, "http:", "https:", 1)))
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		require.Equal(t, llm.ReasonTLS, s.reasonAt(t, untrustedServer(t)))
	})
}

// reasonAt returns the reason of the failure of one call at an address.
func (s Suite) reasonAt(t *testing.T, url string) llm.Reason {
	t.Helper()
	client := llm.NewHTTPClient(1)
	t.Cleanup(client.CloseIdleConnections)
	e := &environment{model: s.NewModel(t, url, llm.HTTPOptions{Client: client, Retry: llm.Retry{Attempts: 1}})}
	_, err := e.generate(t.Context())
	require.Error(t, err)
	return llm.ReasonOf(err)
}

// untrustedServer starts a TLS server whose certificate no client trusts.
func untrustedServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // rejected handshakes are expected
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}
