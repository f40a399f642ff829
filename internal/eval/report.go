package eval

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Passed returns the number of passed results.
func Passed(results []Result) (n int) {
	for _, r := range results {
		if r.Failure == "" {
			n++
		}
	}
	return n
}

// Write prints the results: a row for each kind, the total, and the failed cases.
func Write(out io.Writer, model string, results []Result) error {
	fmt.Fprintf(out, "model: %s\n\n", model)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "kind\tpassed\tsteps\ttokens\tmedian\tslowest")
	for _, kind := range kindsOf(results) {
		var some []Result
		for _, r := range results {
			if r.Case.Kind == kind {
				some = append(some, r)
			}
		}
		writeRow(table, kind, some)
	}
	writeRow(table, "all", results)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Failure != "" {
			fmt.Fprintf(out, "\nFAIL %s: %s: %s", r.Case.Kind, r.Case.Name, r.Failure)
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

func kindsOf(results []Result) (out []string) {
	for _, r := range results {
		if !slices.Contains(out, r.Case.Kind) {
			out = append(out, r.Case.Kind)
		}
	}
	return out
}

func writeRow(table io.Writer, name string, results []Result) {
	steps, tokens := 0, 0
	var took []time.Duration
	for _, r := range results {
		steps += r.Steps
		tokens += r.Tokens
		took = append(took, r.Duration)
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	fmt.Fprintf(table, "%s\t%d/%d\t%d\t%d\t%s\t%s\n", name, Passed(results), len(results), steps, tokens,
		took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}
