package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Error is what is wrong with one variable. It never holds the variable's value:
// a secret pasted into the wrong line must not reach a log.
type Error struct {
	// Variable is the variable's name.
	Variable string
	// Problem says what is wrong, in plain words.
	Problem string
	// Allowed says what would be right.
	Allowed string
}

// Error implements error for one fault.
func (f Error) Error() string {
	return fmt.Sprintf("%s: %s (accepted: %s)", f.Variable, f.Problem, f.Allowed)
}

// Errors are all faults of the settings, one per variable, in order of name.
type Errors []Error

// Error lists the faults, one line per variable.
func (f Errors) Error() string {
	var b strings.Builder
	if len(f) == 1 {
		b.WriteString("1 setting is wrong:")
	} else {
		fmt.Fprintf(&b, "%d settings are wrong:", len(f))
	}
	for _, fault := range f {
		b.WriteString("\n  " + fault.Error())
	}
	return b.String()
}

// add keeps the first fault of each variable: what follows from it is noise.
func (f *Errors) add(name, problem, accepted string) {
	if !f.has(name) {
		*f = append(*f, Error{Variable: name, Problem: problem, Allowed: accepted})
	}
}

func (f *Errors) has(name string) bool {
	return slices.ContainsFunc(*f, func(x Error) bool { return x.Variable == name })
}



func (f *Errors) sorted() Errors {
	slices.SortFunc(*f, func(a, b Error) int { return cmp.Compare(a.Variable, b.Variable) })
	return *f
}

// between reports a number or duration outside lo..hi, both inclusive.
func between[T int | time.Duration](f *Errors, name string, v, lo, hi T) {
	accepted := formatValue(lo) + " to " + formatValue(hi)
	switch {
	case v < lo:
		f.add(name, "is too small", accepted)
	case v > hi:
		f.add(name, "is too large", accepted)
	}
}

// formatValue writes a duration the way people set it: 2m, not 2m0s.
func formatValue(v any) string {
	text := fmt.Sprint(v)
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// oneOf reports a word that is not in the list.
func oneOf[T ~string](f *Errors, name string, v T, list ...T) {
	if slices.Contains(list, v) {
		return
	}
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	f.add(name, "is none of the known words", strings.Join(words, ", "))
}

func lower[T ~string](s *T) { *s = T(strings.ToLower(string(*s))) }
