package config

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// parse sets the fields of c and converts the parser's errors to Errors without values.
func parse(c *Config, values map[string]string, errs *Errors) {
	err := env.ParseWithOptions(c, env.Options{Environment: values})
	if err == nil {
		return
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		all.Errors = []error{err}
	}
	names := variableNames(reflect.TypeFor[Config]())
	for _, one := range all.Errors {
		var pe env.ParseError
		if !errors.As(one, &pe) {
			errs.add("settings", "cannot be parsed", "see .env.example")
			continue
		}
		addParseError(errs, names[pe.Name], pe)
	}
}

func addParseError(errs *Errors, variable string, pe env.ParseError) {
	var own Error
	if errors.As(pe.Err, &own) {
		errs.add(variable, own.Problem, own.Allowed)
		return
	}
	switch pe.Type {
	case reflect.TypeFor[int](), reflect.TypeFor[int64]():
		errs.add(variable, "is not a whole number", "digits such as 64")
	case reflect.TypeFor[*float64]():
		errs.add(variable, "is not a number", "digits such as 0.7")
	case reflect.TypeFor[bool]():
		errs.add(variable, "is not a boolean", "true, false")
	case reflect.TypeFor[time.Duration]():
		errs.add(variable, "is not a duration", "a number with a unit, such as 500ms, 15s or 2m")
	case reflect.TypeFor[slog.Level]():
		errs.add(variable, "is not a log level", "debug, info, warn, error")
	default:
		errs.add(variable, "cannot be read", "see .env.example")
	}
}

// variableNames maps the names of the fields of t and its nested structs to their variables. The parser reports
// only the field's name in its errors, so names are unique within Config; a test checks that.
func variableNames(t reflect.Type) map[string]string {
	names := map[string]string{}
	for field := range fieldsOf(t) {
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		names[field.Name] = name
	}
	return names
}

// fieldsOf returns an iterator over the fields of t and its nested structs that have an env tag.
func fieldsOf(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) { walkFields(t, yield) }
}

func walkFields(t reflect.Type, yield func(reflect.StructField) bool) bool {
	for field := range t.Fields() {
		if _, tagged := field.Tag.Lookup("env"); tagged {
			if !yield(field) {
				return false
			}
			continue
		}
		if field.Type.Kind() == reflect.Struct && !walkFields(field.Type, yield) {
			return false
		}
	}
	return true
}
