package telemetry

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
)

// ModelCall is a finished call of a model. Names of models are provider/name, as in LLM_MODEL.
type ModelCall struct {
	// Requested is the configured model; Answered the one that answered, which may be the fallback.
	Requested, Answered string
	Took                time.Duration
	// Input, Output and Cached are numbers of tokens; the cached ones are part of the input.
	Input, Output, Cached int
	// StopReason is the reason for the end of the response.
	StopReason string
	// Err is the error, nil for a response. ErrorKind classifies it.
	Err       error
	ErrorKind string
}

// errorType is the attribute error.type: the kind of the error, or its code.
func (c ModelCall) errorType() string {
	if c.ErrorKind != "" {
		return c.ErrorKind
	}
	return errorCode(c.Err)
}

// Names of the semantic conventions of OpenTelemetry for generative AI.
const (
	chatOperation = "chat"
	toolOperation = "execute_tool"

	operationKey    = attribute.Key("gen_ai.operation.name")
	providerKey     = attribute.Key("gen_ai.provider.name")
	requestModelKey = attribute.Key("gen_ai.request.model")
	errorTypeKey    = attribute.Key("error.type")
)

// providerNames are the values of gen_ai.provider.name that differ from those of LLM_PROVIDER.
var providerNames = map[string]string{"gemini": "gcp.gemini", "rules": "errand"}

// splitModel returns the value of gen_ai.provider.name and the name of a model.
func splitModel(model string) (provider, name string) {
	provider, name, found := strings.Cut(model, "/")
	if !found {
		name = provider
	}
	if known := providerNames[provider]; known != "" {
		provider = known
	}
	return provider, name
}

// Buckets of the conventions: seconds of a call, numbers of tokens, and seconds to the first chunk.
var (
	operationBuckets = []float64{.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
	tokenBuckets     = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	chunkBuckets     = []float64{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
)

// generativeMetrics are the client metrics of the conventions, in Prometheus's spelling.
type generativeMetrics struct {
	duration, tokens, firstChunk *prometheus.HistogramVec
}

func newGenerativeMetrics() generativeMetrics {
	create := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		labels = append([]string{"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"}, labels...)
		return prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Namespace: "gen_ai_client", Name: name, Help: help, Buckets: buckets}, labels)
	}
	return generativeMetrics{
		duration: create("operation_duration_seconds", "Duration of model calls.", operationBuckets,
			"gen_ai_response_model", "error_type"),
		tokens: create("token_usage", "Tokens of model calls by type.", tokenBuckets,
			"gen_ai_response_model", "gen_ai_token_type"),
		firstChunk: create("operation_time_to_first_chunk_seconds", "Time from a model call to its first text.",
			chunkBuckets),
	}
}

func (g generativeMetrics) observe(c ModelCall) {
	provider, requested := splitModel(c.Requested)
	if c.Err != nil {
		g.duration.WithLabelValues(chatOperation, provider, requested, "", c.errorType()).Observe(c.Took.Seconds())
		return
	}
	provider, answered := splitModel(c.Answered)
	g.duration.WithLabelValues(chatOperation, provider, requested, answered, "").Observe(c.Took.Seconds())
	for kind, n := range map[string]int{"input": c.Input, "output": c.Output} {
		g.tokens.WithLabelValues(chatOperation, provider, requested, answered, kind).Observe(float64(n))
	}
}

func (g generativeMetrics) observeFirstText(model string, wait time.Duration) {
	provider, name := splitModel(model)
	g.firstChunk.WithLabelValues(chatOperation, provider, name).Observe(wait.Seconds())
}
