package config

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// parse fills c and turns what the parser reports into faults without values.
func parse(c *Config, values map[string]string, f *Errors) {
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
			f.add("settings", "cannot be read", "see .env.example")
			continue
		}
		addParseError(f, names[pe.Name], pe)
	}
}

func addParseError(f *Errors, name string, pe env.ParseError) {
	var own Error
	if errors.As(pe.Err, &own) {
		f.add(name, own.Problem, own.Allowed)
		return
	}
	switch pe.Type {
	case reflect.TypeFor[int]():
		f.add(name, "is not a whole number", "digits such as 64")
	case reflect.TypeFor[bool]():
		f.add(name, "is neither true nor false", "true, false")
	case reflect.TypeFor[time.Duration]():
		f.add(name, "is not a duration", "a number with a unit, such as 500ms, 15s or 2m")
	case reflect.TypeFor[slog.Level]():
		f.add(name, "is not a log level", "debug, info, warn, error")
	default:
		f.add(name, "cannot be read", "see .env.example")
	}
}

// variableNames maps the fields of t and of the structs in it to their variables.
// Field names are unique across all of Config, as a test makes sure: the parser
// names a faulty field by nothing else.
func variableNames(t reflect.Type) map[string]string {
	names := map[string]string{}
	for field := range fieldsOf(t) {
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		names[field.Name] = name
	}
	return names
}

// fieldsOf yields every field below t that carries an env tag.
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
