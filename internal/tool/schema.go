package tool

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// argSchema is the part of JSON Schema that the tools' arguments use. It has no unions and no references, which some
// clients drop or refuse.
type argSchema struct {
	Type                 string                `json:"type"`
	Description          string                `json:"description"`
	Enum                 []string              `json:"enum"`
	Properties           map[string]*argSchema `json:"properties"`
	AdditionalProperties *bool                 `json:"additionalProperties"`
	Required             []string              `json:"required"`
	Items                *argSchema            `json:"items"`
	MinItems             int                   `json:"minItems"`
	MaxItems             int                   `json:"maxItems"`
	MinLength            int                   `json:"minLength"`
	MaxLength            int                   `json:"maxLength"`
	Minimum              *int64                `json:"minimum"`
	Maximum              *int64                `json:"maximum"`
	Pattern              string                `json:"pattern"`
	// Offer limits the variants of the tool that have the argument; see offeredSchema.
	Offer string `json:"offer"`

	pattern *regexp.Regexp
	// folded has the names of the properties by their spelling without case and separators.
	folded map[string]string
}

// parseSchema parses the schema of a tool's arguments. Keywords that argSchema lacks are errors.
func parseSchema(raw json.RawMessage) (*argSchema, error) {
	var s argSchema
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("decoding the schema: %w", err)
	}
	return &s, s.prepare()
}

// prepare compiles patterns and names, and checks that lengths and lists are bounded.
func (s *argSchema) prepare() (err error) {
	switch s.Type {
	case "string":
		if s.Enum == nil && s.Pattern == "" && (s.MinLength == 0 || s.MaxLength == 0) {
			return fmt.Errorf("a string without bounds: %q", s.Description)
		}
		if s.Pattern != "" {
			s.pattern, err = regexp.Compile(s.Pattern)
		}
		return err
	case "integer", "boolean":
		return nil
	case "array":
		if s.Items == nil || s.MinItems != 1 || s.MaxItems == 0 {
			return fmt.Errorf("a list without items or bounds: %q", s.Description)
		}
		return s.Items.prepare()
	case "object":
		if s.AdditionalProperties == nil || *s.AdditionalProperties {
			return fmt.Errorf("an open object: %q", s.Description)
		}
		s.folded = map[string]string{}
		for name, p := range s.Properties {
			s.folded[fold(name)] = name
			if err := p.prepare(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	default:
		return fmt.Errorf("unknown type %q", s.Type)
	}
}

// names returns the names of the properties that are offered, required ones first.
func (s *argSchema) names() []string {
	names := slices.Clone(s.Required)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if !slices.Contains(names, name) && s.Properties[name].Offer != offerNever {
			names = append(names, name)
		}
	}
	return names
}

// fold removes case and separators from the name of an argument.
func fold(name string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(name))
}

// aliases are further names of arguments, folded, for schemas that have the argument.
var aliases = map[string]string{
	"name":        "title",
	"tags":        "labels",
	"label":       "labels",
	"priorities":  "priority",
	"dueon":       "due",
	"dueat":       "due",
	"duedate":     "due",
	"deadline":    "due",
	"notes":       "description",
	"query":       "search",
	"tasknumber":  "number",
	"tasknumbers": "tasks",
	"numbers":     "tasks",
	"addtags":     "add_labels",
	"removetags":  "remove_labels",
}

// property returns the name of the argument that a caller means by name.
func (s *argSchema) property(name string) (string, bool) {
	if _, ok := s.Properties[name]; ok {
		return name, true
	}
	if known, ok := s.folded[fold(name)]; ok {
		return known, true
	}
	known := aliases[fold(name)]
	_, ok := s.Properties[known]
	return known, ok
}

// exampleValues has a valid value for each argument, as JSON, for error messages.
var exampleValues = map[string]string{
	"number":             `3`,
	"title":              `"Buy milk"`,
	"description":        `"Two bottles."`,
	"priority":           `"high"`,
	"task":               `"buy milk"`,
	"tasks":              `["3","buy milk"]`,
	"due":                `"Fri 4 Dec 15:00"`,
	"shift_due":          `"2 days"`,
	"append_description": `"And bread."`,
	"add_labels":         `["home"]`,
	"remove_labels":      `["home"]`,
	"overdue":            `true`,
	"no_due":             `true`,
	"trashed":            `true`,
	"completed_from":     `"2026-12-01"`,
	"completed_to":       `"2026-12-31"`,
	"sort":               `"due"`,
	"from":               `"2026-12-01"`,
	"due_on":             `"2026-12-04"`,
	"due_at":             `"2026-12-04T15:00:00+01:00"`,
	"labels":             `["home","garden"]`,
	"status":             `"pending"`,
	"search":             `"milk"`,
	"due_from":           `"2026-12-01"`,
	"due_to":             `"2026-12-31"`,
	"clear":              `["due"]`,
	"limit":              `50`,
	"after":              `100`,
	"change":             `"chg_01m8ejt54mf89rxsg03dms969z"`,
	"time_zone":          `"Europe/Berlin"`,
}

// example returns the argument with a valid value, as JSON.
func example(name string) string { return fmt.Sprintf(`{%q: %s}`, name, exampleValues[name]) }

// rule describes the values that s accepts.
func (s *argSchema) rule() string {
	switch {
	case s.Enum != nil:
		return "one of " + strings.Join(s.Enum, ", ")
	case s.Type == "string" && s.Pattern != "":
		return "a day, YYYY-MM-DD"
	case s.Type == "string":
		return fmt.Sprintf("text of %d to %d characters", s.MinLength, s.MaxLength)
	case s.Type == "boolean":
		return "true or false"
	case s.Type == "array":
		return fmt.Sprintf("a list of at most %d items", s.MaxItems)
	case s.Type == "object":
		return "an object with the members " + strings.Join(s.names(), ", ")
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("a whole number from %d to %d", *s.Minimum, *s.Maximum)
	case s.Minimum != nil:
		return fmt.Sprintf("a whole number of at least %d", *s.Minimum)
	default:
		return "a whole number"
	}
}
