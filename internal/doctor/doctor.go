// Package doctor looks at everything that a server needs before it starts, and says
// what to do about each fault. It changes nothing and shows no secret.
package doctor

import (
	"context"
	"io"
	"strings"
	"text/tabwriter"

	"errand/internal/config"

	"github.com/tmc/langchaingo/llms"
)

// State is how a check ended.
type State string

// The states. A Failed keeps the server from working; a Warning does not.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed   State = "FAULT"
)

// Finding is one line of the report.
type Finding struct {
	// Check names what was looked at.
	Check string
	State State
	// Found says what is there, Fix what to do about it; Fix is empty when all is well.
	Found, Fix string
}

// Options are what the doctor needs to know.
type Options struct {
	Config config.Config
	// OpenModel makes the model that the settings chose, as the server does.
	OpenModel func() (llms.Model, string, error)
}

// ConfigFindings are the findings of settings that cannot be used; nothing else can then be checked.
func ConfigFindings(faults config.Errors) []Finding {
	var found []Finding
	for _, f := range faults {
		found = append(
			found,
			Finding{Check: "setting " + f.Variable, State: Failed, Found: f.Problem, Fix: "accepted: " + f.Allowed},
		)
	}
	return found
}

// Examine makes all checks, in about half a minute at worst.
func Examine(ctx context.Context, o Options) []Finding {
	found := []Finding{{Check: "settings", State: OK, Found: "all valid, for " + string(o.Config.Environment)}}
	found = append(found, checkDatabase(ctx, o.Config)...)
	found = append(found, checkBus(o.Config)...)
	found = append(found, checkSignIn(ctx, o.Config)...)
	found = append(found, checkModel(ctx, o))
	found = append(found, checkPorts(ctx, o.Config)...)
	return found
}

// HasFailed says whether there is a fault.
func HasFailed(found []Finding) bool {
	for _, f := range found {
		if f.State == Failed {
			return true
		}
	}
	return false
}

// Write prints the findings as a table, with each fix below its finding. Should any of the
// secrets have found its way into a text, it is struck out.
func Write(w io.Writer, found []Finding, secrets ...string) error {
	table := tabwriter.NewWriter(newRedactor(w, secrets), 0, 0, 2, ' ', 0)
	line := func(cells ...string) {
		_, _ = io.WriteString(table, strings.Join(cells, "\t")+"\n") // Flush reports errors
	}
	line("CHECK", "STATE", "FOUND")
	for _, f := range found {
		line(f.Check, string(f.State), oneLine(f.Found))
		if f.Fix != "" {
			line("", "", "→ "+oneLine(f.Fix))
		}
	}
	return table.Flush()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// newRedactor replaces secrets in what is written. Short ones would strike out ordinary words.
func newRedactor(w io.Writer, secrets []string) io.Writer {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= 6 {
			pairs = append(pairs, s, "[redacted]")
		}
	}
	return &redactor{w: w, replace: strings.NewReplacer(pairs...)}
}

// redactor collects text up to its end: a secret may be written in pieces.
type redactor struct {
	w       io.Writer
	replace *strings.Replacer
	line    strings.Builder
}

// Write implements io.Writer. Secrets hold no line breaks, so lines are looked at one by one.
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
