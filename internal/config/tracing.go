package config

import (
	"net/url"
	"strings"

	"errand/internal/secret"
)

// Traces are the settings of the OpenTelemetry trace export, with OpenTelemetry's variable names. The SDK reads
// others, such as OTEL_TRACES_SAMPLER, from the process environment itself.
type Traces struct {
	// OTLPEndpoint is the base URL of an OTLP/HTTP receiver. OTLPTracesEndpoint is the complete URL for traces and
	// takes precedence. Without either no traces are exported.
	OTLPEndpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	OTLPTracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	// OTLPHeaders are headers for the receiver as name=value, separated by commas. They may contain its key.
	OTLPHeaders secret.String `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	// ServiceName is the service.name resource attribute.
	ServiceName string `env:"OTEL_SERVICE_NAME" envDefault:"errand"`
	// OTelDisabled disables traces.
	OTelDisabled bool `env:"OTEL_SDK_DISABLED" envDefault:"false"`
}

// TracesURL returns the URL to which traces are sent, "" when they are disabled.
func (t Traces) TracesURL() string {
	switch {
	case t.OTelDisabled:
		return ""
	case t.OTLPTracesEndpoint != "":
		return t.OTLPTracesEndpoint
	case t.OTLPEndpoint != "":
		return strings.TrimSuffix(t.OTLPEndpoint, "/") + "/v1/traces"
	default:
		return ""
	}
}

// TracesHeaders returns the headers to send with traces.
func (t Traces) TracesHeaders() map[string]string {
	headers, _ := parseHeaders(t.OTLPHeaders.Reveal())
	return headers
}

func (t Traces) validate(errs *Errors) {
	validateURL := func(variable, address string) {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			errs.add(variable, "is not an http or https URL", "such as http://localhost:4318")
		}
	}
	validateURL("OTEL_EXPORTER_OTLP_ENDPOINT", t.OTLPEndpoint)
	validateURL("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", t.OTLPTracesEndpoint)
	if _, ok := parseHeaders(t.OTLPHeaders.Reveal()); !ok {
		errs.add("OTEL_EXPORTER_OTLP_HEADERS", "is not a list of headers",
			"name=value, separated by commas, with percent-encoded values")
	}
}

// parseHeaders parses a list in the format of W3C Baggage, which OpenTelemetry specifies for headers.
func parseHeaders(list string) (map[string]string, bool) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || strings.TrimSpace(name) == "" {
			return nil, false
		}
		headers[strings.TrimSpace(name)] = value
	}
	return headers, true
}
