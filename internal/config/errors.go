package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Error is a configuration error: one variable whose value is not allowed. It never contains the value, because
// a secret may have been assigned to the wrong variable.
type Error struct {
	// Variable is the name of the environment variable, or the path of the .env file.
	Variable string
	// Problem is how the value breaks the variable's rule, such as "is not a whole number".
	Problem string
	// Allowed describes the allowed values, with an example where that helps.
	Allowed string
}

// Error implements error.
func (e Error) Error() string {
	return fmt.Sprintf("%s %s (allowed: %s)", e.Variable, e.Problem, e.Allowed)
}

// Errors are all configuration errors, at most one for each variable, sorted by variable.
type Errors []Error

// Error implements error. It returns a line for each variable.
func (e Errors) Error() string {
	var b strings.Builder
	if len(e) == 1 {
		b.WriteString("1 setting is invalid:")
	} else {
		fmt.Fprintf(&b, "%d settings are invalid:", len(e))
	}
	for _, one := range e {
		b.WriteString("\n  " + one.Error())
	}
	return b.String()
}

// add appends an error. Only the first error of a variable is kept; later ones follow from it.
func (e *Errors) add(variable, problem, allowed string) {
	if !e.has(variable) {
		*e = append(*e, Error{Variable: variable, Problem: problem, Allowed: allowed})
	}
}

func (e *Errors) has(variable string) bool {
	return slices.ContainsFunc(*e, func(x Error) bool { return x.Variable == variable })
}

func (e *Errors) sorted() Errors {
	slices.SortFunc(*e, func(a, b Error) int { return cmp.Compare(a.Variable, b.Variable) })
	return *e
}

// validateRange adds an error for a number or duration outside lo to hi, both inclusive.
func validateRange[T int | int64 | time.Duration](errs *Errors, variable string, v, lo, hi T) {
	allowed := formatValue(lo) + " to " + formatValue(hi)
	switch {
	case v < lo:
		errs.add(variable, "is too small", allowed)
	case v > hi:
		errs.add(variable, "is too large", allowed)
	}
}

// formatValue formats a duration as it is usually set: 2m, not 2m0s.
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

// validateOneOf adds an error for a value that is not in the list.
func validateOneOf[T ~string](errs *Errors, variable string, v T, list ...T) {
	if slices.Contains(list, v) {
		return
	}
	values := make([]string, len(list))
	for i, value := range list {
		values[i] = string(value)
	}
	errs.add(variable, "is not one of the allowed values", strings.Join(values, ", "))
}

func lower[T ~string](s *T) { *s = T(strings.ToLower(string(*s))) }
