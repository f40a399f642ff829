package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Summary counts the results of a group of cases.
type Summary struct {
	Name     string `json:"name"`
	Cases    int    `json:"cases"`
	Right    int    `json:"right"`
	Declined int    `json:"declined"`
	Wrong    int    `json:"wrong"`
	Steps    int    `json:"steps"`
	// InputTokens include CachedTokens.
	InputTokens  int `json:"inputTokens"`
	CachedTokens int `json:"cachedTokens"`
	OutputTokens int `json:"outputTokens"`
	// CostNanos is the cost in billionths of the currency of the price list. It is nil when the model has no price.
	CostNanos *int64        `json:"costNanos"`
	Median    time.Duration `json:"medianNanos"`
	Slowest   time.Duration `json:"slowestNanos"`
}

func summarize(name string, results []Result) Summary {
	s := Summary{Name: name, Cases: len(results)}
	var used Usage
	var took []time.Duration
	for _, r := range results {
		switch r.Outcome {
		case Right:
			s.Right++
		case Declined:
			s.Declined++
		case Wrong:
			s.Wrong++
		}
		used = used.add(r.Usage)
		took = append(took, r.Duration)
	}
	s.Steps, s.CostNanos = used.Steps, used.CostNanos
	s.InputTokens, s.CachedTokens, s.OutputTokens = used.Tokens.Input, used.Tokens.Cached, used.Tokens.Output
	if len(took) > 0 {
		slices.Sort(took)
		s.Median, s.Slowest = took[len(took)/2], took[len(took)-1]
	}
	return s
}

// Group is the report of the cases that are held out, or of the others.
type Group struct {
	Kinds []Summary `json:"kinds"`
	All   Summary   `json:"all"`
	// Deletes and Completions count the cases in which an existing task was, or should have been, deleted or completed.
	Deletes     Summary `json:"deletes"`
	Completions Summary `json:"completions"`
}

// Thresholds are the limits of an acceptable result.
type Thresholds struct {
	// MinRight and MaxWrong are shares of the cases.
	MinRight, MaxWrong float64
	// MaxWrongChanges is the number of cases that end wrong and delete or complete a task.
	MaxWrongChanges int
}

// Check returns an error if the group is beyond a threshold.
func (g Group) Check(t Thresholds) error {
	if g.All.Cases == 0 {
		return nil
	}
	cases := float64(g.All.Cases)
	switch wrong := max(g.Deletes.Wrong, g.Completions.Wrong); {
	case wrong > t.MaxWrongChanges:
		return fmt.Errorf("%d deletes and %d completions are wrong; at most %d may be",
			g.Deletes.Wrong, g.Completions.Wrong, t.MaxWrongChanges)
	case float64(g.All.Wrong)/cases > t.MaxWrong:
		return fmt.Errorf("%d of %d cases are wrong, a larger share than %g", g.All.Wrong, g.All.Cases, t.MaxWrong)
	case float64(g.All.Right)/cases < t.MinRight:
		return fmt.Errorf("%d of %d cases are right, a smaller share than %g", g.All.Right, g.All.Cases, t.MinRight)
	}
	return nil
}

func newGroup(results []Result) Group {
	filter := func(keep func(Result) bool) (out []Result) {
		for _, r := range results {
			if keep(r) {
				out = append(out, r)
			}
		}
		return out
	}
	g := Group{
		All:         summarize("all", results),
		Deletes:     summarize("deletes", filter(func(r Result) bool { return r.Deletes })),
		Completions: summarize("completions", filter(func(r Result) bool { return r.Completes })),
	}
	for _, kind := range kindsOf(results) {
		g.Kinds = append(g.Kinds, summarize(kind, filter(func(r Result) bool { return r.Case.Kind == kind })))
	}
	return g
}

func kindsOf(results []Result) (out []string) {
	for _, r := range results {
		if !slices.Contains(out, r.Case.Kind) {
			out = append(out, r.Case.Kind)
		}
	}
	return out
}

// Finding is a case that is not right.
type Finding struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Outcome Outcome  `json:"outcome"`
	Reason  string   `json:"reason"`
	Replies []string `json:"replies"`
}

// Report is the report of a run.
type Report struct {
	Model string `json:"model"`
	Group
	// HeldOut is the report of the cases that are held out, apart from the others.
	HeldOut  Group     `json:"heldOut"`
	Findings []Finding `json:"findings"`
}

// NewReport summarizes results. Findings name held-out cases only if heldOutFindings is true.
func NewReport(model string, results []Result, heldOutFindings bool) Report {
	r := Report{Model: model, Findings: []Finding{}}
	var open, heldOut []Result
	for _, result := range results {
		if result.Case.HeldOut {
			heldOut = append(heldOut, result)
		} else {
			open = append(open, result)
		}
		if result.Outcome == Right || result.Case.HeldOut && !heldOutFindings {
			continue
		}
		r.Findings = append(r.Findings, Finding{
			Kind:    result.Case.Kind,
			Name:    result.Case.Name,
			Outcome: result.Outcome,
			Reason:  result.Reason,
			Replies: result.Replies,
		})
	}
	r.Group, r.HeldOut = newGroup(open), newGroup(heldOut)
	return r
}

// Check returns an error if the report is beyond a threshold, with or without the held-out cases.
func (r Report) Check(t Thresholds) error {
	if err := r.Group.Check(t); err != nil {
		return err
	}
	if err := r.HeldOut.Check(t); err != nil {
		return fmt.Errorf("held-out cases: %w", err)
	}
	return nil
}

// WriteJSON prints the report as JSON.
func (r Report) WriteJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteText prints the report: a table for each group, then the cases that are not right.
func (r Report) WriteText(out io.Writer) error {
	if _, err := fmt.Fprintf(out, "model: %s\n", r.Model); err != nil {
		return err
	}
	for _, g := range []struct {
		title string
		group Group
	}{{"", r.Group}, {"held out", r.HeldOut}} {
		if g.group.All.Cases == 0 {
			continue
		}
		if err := g.group.writeText(out, g.title); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(out, "\n%s %s: %q: %s\n", f.Outcome, f.Kind, f.Name, f.Reason); err != nil {
			return err
		}
		for _, reply := range f.Replies {
			if _, err := fmt.Fprintf(out, "  %q\n", reply); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g Group) writeText(out io.Writer, title string) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if title == "" {
		title = "kind"
	}
	fmt.Fprintf(table, "\n%s\tcases\tright\tdeclined\twrong\tsteps\ttokens\tcached\tcost\tmedian\tslowest\n", title)
	for _, s := range append(slices.Clone(g.Kinds), g.All, g.Deletes, g.Completions) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n",
			s.Name, s.Cases, s.Right, s.Declined, s.Wrong, s.Steps, s.InputTokens+s.OutputTokens, s.cachedShare(),
			s.cost(), s.Median.Round(time.Millisecond), s.Slowest.Round(time.Millisecond))
	}
	return table.Flush()
}

// cachedShare is the share of the input that the provider served from its cache.
func (s Summary) cachedShare() string {
	if s.InputTokens == 0 {
		return "-"
	}
	return fmt.Sprintf("%d%%", 100*s.CachedTokens/s.InputTokens)
}

func (s Summary) cost() string {
	if s.CostNanos == nil {
		return "-"
	}
	return fmt.Sprintf("%.4f", float64(*s.CostNanos)/1e9)
}
