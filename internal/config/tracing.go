package config

import (
	"net/url"
	"strings"

	"errand/internal/secret"
)

// Traces says where OpenTelemetry spans go, by the standard's own variables. Those that are not
// here, such as OTEL_TRACES_SAMPLER, are read from the real environment by the SDK.
type Traces struct {
	// OTLPEndpoint is the base URL of an OTLP/HTTP receiver, OTLPTracesEndpoint the full one for
	// traces, which wins. Without either there are no traces.
	OTLPEndpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`
	OTLPTracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"`
	// OTLPHeaders are sent to the receiver, as name=value with commas; they may hold its key.
	OTLPHeaders secret.String `env:"OTEL_EXPORTER_OTLP_HEADERS"`
	// ServiceName names this program to the receiver.
	ServiceName string `env:"OTEL_SERVICE_NAME" envDefault:"errand"`
	// OTelDisabled turns traces off whatever else is set.
	OTelDisabled bool `env:"OTEL_SDK_DISABLED" envDefault:"false"`
}

// TracesURL is where traces are sent, "" when they are off.
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

// TracesHeaders are the headers to send with them.
func (t Traces) TracesHeaders() map[string]string {
	headers, _ := readHeaders(t.OTLPHeaders.Reveal())
	return headers
}

func (t Traces) validate(f *Errors) {
	check := func(name, address string) {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			f.add(name, "is not the URL of an OTLP receiver", "such as http://localhost:4318")
		}
	}
	check("OTEL_EXPORTER_OTLP_ENDPOINT", t.OTLPEndpoint)
	check("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", t.OTLPTracesEndpoint)
	if _, ok := readHeaders(t.OTLPHeaders.Reveal()); !ok {
		f.add(
			"OTEL_EXPORTER_OTLP_HEADERS",
			"is not a list of headers",
			"name=value, several with commas, values percent-encoded",
		)
	}
}

// readHeaders reads a list of W3C Baggage's form, as the standard asks for.
func readHeaders(list string) (map[string]string, bool) {
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
