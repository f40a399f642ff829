// Package doctor checks everything that a server depends on (settings, database, event bus, identity provider,
// model and ports) and reports how to fix what does not work. It changes nothing and prints no secrets.
package doctor

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"

	"errand/internal/config"

	"github.com/tmc/langchaingo/llms"
)

// State is the result of a check.
type State string

// The states. A server cannot work after a failed check; it can after a warning.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "FAILED"
)

// Finding is a line of the report.
type Finding struct {
	// Check is the name of the check.
	Check string `json:"check"`
	State State  `json:"state"`
	// Detail is what the check found.
	Detail string `json:"detail"`
	// Fix is what to do about it; "" when State is OK.
	Fix string `json:"fix,omitempty"`
}

func passed(check, detail string) Finding {
	return Finding{Check: check, State: OK, Detail: detail}
}

func warning(check, detail, fix string) Finding {
	return Finding{Check: check, State: Warning, Detail: detail, Fix: fix}
}

func failed(check, detail, fix string) Finding {
	return Finding{Check: check, State: Failed, Detail: detail, Fix: fix}
}

// Options are the inputs of Run.
type Options struct {
	Config config.Config
	// OpenModel returns the configured model and its name, as the server opens it.
	OpenModel func() (llms.Model, string, error)
}

// ConfigFindings returns a failed finding for each configuration error. No other checks are possible then.
func ConfigFindings(errs config.Errors) []Finding {
	var findings []Finding
	for _, e := range errs {
		findings = append(findings, failed("setting "+e.Variable, e.Problem, "allowed: "+e.Allowed))
	}
	return findings
}

// MisspelledFindings returns a warning for each variable that is almost a setting.
func MisspelledFindings(found []config.Misspelled) []Finding {
	var findings []Finding
	for _, m := range found {
		findings = append(findings, warning("setting "+m.Name, m.String(), "correct the name, or remove the variable"))
	}
	return findings
}

// Run makes all checks. It takes about half a minute at most.
func Run(ctx context.Context, o Options) []Finding {
	findings := []Finding{passed("settings", "all valid, for "+string(o.Config.Environment))}
	findings = append(findings, checkDatabase(ctx, o.Config)...)
	findings = append(findings, checkFiles(o.Config), checkUser(), checkConnections(o.Config))
	findings = append(findings, checkBus(o.Config)...)
	findings = append(findings, checkSignIn(ctx, o.Config)...)
	findings = append(findings, checkModel(ctx, o))
	findings = append(findings, checkPorts(ctx, o.Config)...)
	return findings
}

// HasFailed reports whether a check failed.
func HasFailed(findings []Finding) bool {
	for _, f := range findings {
		if f.State == Failed {
			return true
		}
	}
	return false
}

// Write prints the findings as a table, with each fix below its finding. As a last resort it replaces secrets
// that appear in a text, such as an error message of a driver.
func Write(w io.Writer, findings []Finding, secrets ...string) error {
	table := tabwriter.NewWriter(newRedactor(w, secrets), 0, 0, 2, ' ', 0)
	writeRow := func(cells ...string) {
		_, _ = io.WriteString(table, strings.Join(cells, "\t")+"\n") // Flush reports errors
	}
	writeRow("CHECK", "STATE", "DETAIL")
	for _, f := range findings {
		writeRow(f.Check, string(f.State), oneLine(f.Detail))
		if f.Fix != "" {
			writeRow("", "", "→ "+oneLine(f.Fix))
		}
	}
	return table.Flush()
}

// WriteJSON prints the findings as JSON, which docs/CLI.md documents. It replaces secrets as Write does.
func WriteJSON(w io.Writer, findings []Finding, secrets ...string) error {
	replace := newRedactor(w, secrets).replace
	report := struct {
		OK       bool      `json:"ok"` // whether no check failed
		Findings []Finding `json:"findings"`
	}{OK: !HasFailed(findings)}
	for _, f := range findings {
		f.State = State(strings.ToLower(string(f.State)))
		f.Check, f.Detail, f.Fix = replace.Replace(f.Check), replace.Replace(f.Detail), replace.Replace(f.Fix)
		report.Findings = append(report.Findings, f)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(report)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// minSecretBytes is the minimum length of redacted secrets. Replacing shorter ones would damage ordinary words.
const minSecretBytes = 6

// redactor replaces secrets in the text written to it. It passes on complete lines only, because a secret may be
// written in several parts; secrets contain no line breaks.
type redactor struct {
	w       io.Writer
	replace *strings.Replacer
	line    strings.Builder
}

func newRedactor(w io.Writer, secrets []string) *redactor {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= minSecretBytes {
			pairs = append(pairs, s, "[redacted]")
		}
	}
	return &redactor{w: w, replace: strings.NewReplacer(pairs...)}
}

// Write implements io.Writer.
func (r *redactor) Write(p []byte) (int, error) {
	for _, part := range strings.SplitAfter(string(p), "\n") {
		r.line.WriteString(part)
		if !strings.HasSuffix(part, "\n") {
			continue
		}
		text := r.replace.Replace(r.line.String())
		r.line.Reset()
		if _, err := io.WriteString(r.w, text); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
