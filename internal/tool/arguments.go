package tool

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"errand/internal/apperr"
	"errand/internal/jsonlimit"
)

// Limits of a call's arguments, which are far above those of valid ones. They are checked before the arguments are
// decoded, which takes memory for each value.
const (
	maxArgumentBytes  = 1 << 20
	maxArgumentValues = 2000
	maxArgumentDepth  = 20
)

// maxNumber bounds whole numbers in arguments: all of them fit in Go's int and in the database.
const maxNumber = 1<<31 - 1

// normalizeArguments returns the arguments of a call in the form that the schema declares. A value that the schema
// accepts is returned as it is. Values that have one possible meaning are converted: "3" and 3.0 for 3, "HIGH" and "P2"
// for "high", one value for a list, JSON in a string, "dueOn" for "due_on". Null and "" mean that the argument is
// absent. All other values are errors that name the argument.
func normalizeArguments(s *argSchema, arguments string) (json.RawMessage, error) {
	value, err := decodeArguments(arguments)
	if err != nil {
		return nil, err
	}
	members, ok := unwrap(s, value)
	if !ok {
		return nil, apperr.Invalid("arguments", "The arguments must be a JSON object, such as %s.", s.exampleObject())
	}
	normal, err := s.object(members, "")
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(normal)
	if err != nil {
		return nil, fmt.Errorf("encoding the arguments: %w", err)
	}
	return b, nil
}

// decodeArguments decodes a JSON text within the limits. Numbers keep their spelling.
func decodeArguments(text string) (any, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	if err := checkSize(text); err != nil {
		return nil, err
	}
	var value any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil || d.More() {
		return nil, apperr.Invalid("arguments", "The arguments must be a JSON object; they are not valid JSON.")
	}
	return value, nil
}

func checkSize(arguments string) error {
	if len(arguments) > maxArgumentBytes {
		return apperr.Invalid("arguments", "The arguments have %d bytes; the limit is %d.",
			len(arguments), maxArgumentBytes)
	}
	switch shape := jsonlimit.Measure([]byte(arguments)); {
	case shape.Values > maxArgumentValues:
		return apperr.Invalid("arguments", "The arguments have %d values; the limit is %d.",
			shape.Values, maxArgumentValues)
	case shape.Depth > maxArgumentDepth:
		return apperr.Invalid("arguments", "The arguments are nested %d levels deep; the limit is %d.",
			shape.Depth, maxArgumentDepth)
	default:
		return nil
	}
}

// wrappers are members in which some models put the arguments.
var wrappers = []string{"arguments", "args", "input", "parameters", "params"}

// unwrap returns the object of the arguments, which may be in a string or in the only member of another object. Null is
// the empty object.
func unwrap(s *argSchema, value any) (map[string]any, bool) {
	for range 3 {
		switch v := value.(type) {
		case nil:
			return map[string]any{}, true
		case string:
			inner, err := decodeArguments(v)
			if err != nil {
				return nil, false
			}
			value = inner
		case map[string]any:
			inner, ok := wrapped(s, v)
			if !ok {
				return v, true
			}
			value = inner
		default:
			return nil, false
		}
	}
	return nil, false
}

// wrapped returns the value of the only member of v, if that is a wrapper.
func wrapped(s *argSchema, v map[string]any) (any, bool) {
	if len(v) != 1 {
		return nil, false
	}
	for name, inner := range v {
		if _, known := s.property(name); known || !slices.Contains(wrappers, strings.ToLower(name)) {
			return nil, false
		}
		switch inner.(type) {
		case map[string]any, string:
			return inner, true
		}
	}
	return nil, false
}

// object converts the members of an object. path is its place in the arguments, "" for the outermost.
func (s *argSchema) object(members map[string]any, path string) (map[string]any, error) {
	out := make(map[string]any, len(members))
	spelled := make(map[string]string, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		known, ok := s.property(name)
		if !ok {
			if isAbsent(value) {
				continue
			}
			return nil, s.unknownArgument(name, path)
		}
		normal, present, err := s.Properties[known].value(value, join(path, known))
		switch {
		case err != nil:
			return nil, err
		case !present:
			continue
		}
		if earlier, twice := spelled[known]; twice && !equalJSON(out[known], normal) {
			return nil, apperr.Invalid(join(path, known), "The arguments %q and %q mean the same; send one of them, such as %s.",
				shorten(earlier), shorten(name), example(known))
		}
		out[known], spelled[known] = normal, name
	}
	for _, name := range s.Required {
		if _, ok := out[name]; !ok {
			return nil, apperr.Invalid(join(path, name), "The argument %s is missing; send it, such as %s.",
				join(path, name), example(name))
		}
	}
	return out, nil
}

func (s *argSchema) unknownArgument(name, path string) error {
	return apperr.Invalid("arguments", "There is no argument %q%s. The arguments are %s, such as %s.",
		shorten(name), in(path), strings.Join(s.names(), ", "), s.exampleObject())
}

func in(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func (s *argSchema) exampleObject() string {
	names := s.Required
	if len(names) == 0 {
		names = s.names()[:min(1, len(s.Properties))]
	}
	if len(names) == 0 {
		return "{}"
	}
	return example(names[0])
}
