package tool

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"errand/internal/apperr"
	"errand/internal/task"
	"errand/internal/truncate"
)

// value converts the value of one argument. present is false when it means that the argument is absent.
func (s *argSchema) value(v any, path string) (normal any, present bool, err error) {
	if s.accepts(v) {
		return v, true, nil
	}
	if isAbsent(v) {
		return nil, false, nil
	}
	switch s.Type {
	case "array":
		return s.list(v, path)
	case "object":
		v, err = s.asObject(v, path)
		return v, err == nil, err
	}
	if one, ok := v.([]any); ok && len(one) == 1 {
		return s.value(one[0], path)
	}
	convert := map[string]func(any) any{"string": s.asString, "integer": asInteger, "boolean": asBoolean}[s.Type]
	normal = convert(v)
	switch {
	case s.accepts(normal):
		return normal, true, nil
	case s.isNull(v):
		return nil, false, nil
	default:
		return nil, false, s.invalid(v, path)
	}
}

// isAbsent reports whether v means that an argument is absent, where v itself is not a valid value.
func isAbsent(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// isNull reports whether v is the word "null" where no free text is expected.
func (s *argSchema) isNull(v any) bool {
	text, ok := v.(string)
	return ok && (s.Type != "string" || s.Enum != nil || s.pattern != nil) &&
		strings.EqualFold(strings.TrimSpace(text), "null")
}

// accepts reports whether the schema accepts a scalar as it is.
func (s *argSchema) accepts(v any) bool {
	switch v := v.(type) {
	case string:
		switch {
		case s.Type != "string":
			return false
		case s.Enum != nil:
			return slices.Contains(s.Enum, v)
		}
		n := utf8.RuneCountInString(v)
		return n >= s.MinLength && (s.MaxLength == 0 || n <= s.MaxLength) && (s.pattern == nil || s.pattern.MatchString(v))
	case bool:
		return s.Type == "boolean"
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return s.Type == "integer" && err == nil && n <= maxNumber &&
			(s.Minimum == nil || n >= *s.Minimum) && (s.Maximum == nil || n <= *s.Maximum)
	}
	return false
}

// enumAliases are further names of the values of enumerations.
var enumAliases = map[string]string{
	"p0": "urgent", "p1": "urgent", "p2": "high", "p3": "medium", "p4": "low",
	"critical": "urgent", "highest": "urgent", "important": "high", "normal": "medium", "no": "none",
	"open": "pending", "todo": "pending", "active": "pending", "incomplete": "pending",
	"done": "completed", "complete": "completed", "finished": "completed", "any": "all",
}

// asString converts a scalar to text. Names of an enumeration are matched without case and separators.
func (s *argSchema) asString(v any) any {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		return nil
	}
	switch {
	case s.Enum != nil:
		folded := fold(strings.TrimSpace(text))
		if i := slices.IndexFunc(s.Enum, func(e string) bool { return fold(e) == folded }); i >= 0 {
			return s.Enum[i]
		}
		return enumAliases[folded]
	case s.pattern != nil:
		return dayOf(strings.TrimSpace(text))
	}
	return text
}

// dayOf returns the day of an instant at midnight, and other text as it is.
func dayOf(text string) string {
	if len(text) <= len("2006-01-02") {
		return text
	}
	clock := strings.TrimRight(strings.TrimLeft(text[len("2006-01-02"):], "T "), "Z0:.")
	if clock != "" {
		return text
	}
	return text[:len("2006-01-02")]
}

// asInteger converts "3", "#3", 3.0 and 3e0 to 3.
func asInteger(v any) any {
	var text string
	switch v := v.(type) {
	case string:
		text = strings.TrimPrefix(strings.TrimSpace(v), "#")
	case json.Number:
		text = v.String()
	default:
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f < -maxNumber || f > maxNumber {
		return nil
	}
	return json.Number(strconv.FormatInt(int64(f), 10))
}

var booleans = map[string]bool{
	"true": true, "yes": true, "1": true,
	"false": false, "no": false, "0": false,
}

func asBoolean(v any) any {
	var text string
	switch v := v.(type) {
	case string:
		text = strings.ToLower(strings.TrimSpace(v))
	case json.Number:
		text = v.String()
	}
	if b, ok := booleans[text]; ok {
		return b
	}
	return nil
}

// asObject converts an object, an object in a string, or the value of the only required member.
func (s *argSchema) asObject(v any, path string) (any, error) {
	if text, ok := v.(string); ok {
		if inner, ok := nested(text, "{"); ok {
			v = inner
		} else if len(s.Required) == 1 && s.Properties[s.Required[0]].Type == "string" {
			v = map[string]any{s.Required[0]: text}
		}
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, s.invalid(v, path)
	}
	return s.object(members, path)
}

// nested decodes JSON in a string, which must begin with the character.
func nested(text, first string) (any, bool) {
	if text = strings.TrimSpace(text); !strings.HasPrefix(text, first) {
		return nil, false
	}
	v, err := decodeArguments(text)
	return v, err == nil
}

// list converts a list, a list in a string, or one value. Its length is checked before its items.
func (s *argSchema) list(v any, path string) (any, bool, error) {
	items, ok := v.([]any)
	if text, isText := v.(string); isText {
		if inner, isJSON := nested(text, "["); isJSON {
			items, ok = inner.([]any)
		} else if items, ok = s.split(text); !ok && s.isAmbiguousList(text) {
			return nil, false, s.invalid(v, path)
		}
	}
	if !ok {
		items = []any{v}
	}
	if len(items) > s.MaxItems {
		return nil, false, apperr.Invalid(path, "The argument %s must be %s; this one has %d. Example: %s.",
			path, s.rule(), len(items), example(last(path)))
	}
	out := make([]any, 0, len(items))
	for i, item := range items {
		normal, present, err := s.Items.value(item, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, false, err
		}
		if present {
			out = append(out, normal)
		}
	}
	return out, len(out) > 0, nil
}

// split splits text at commas when each part is a number or a name of an enumeration.
func (s *argSchema) split(text string) ([]any, bool) {
	var items []any
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		number, isNumber := asInteger(part).(json.Number)
		switch {
		case s.Items.Enum != nil:
			items = append(items, part)
		case isNumber && s.Items.Type != "object":
			items = append(items, number.String())
		default:
			return nil, false
		}
	}
	return items, true
}

// isAmbiguousList reports whether text may be one label or several.
func (s *argSchema) isAmbiguousList(text string) bool {
	return s.Items.Type == "string" && s.Items.MaxLength <= task.MaxLabel && strings.Contains(text, ",")
}

// invalid returns the error for a value that has no possible meaning. It names the kind or the size of the value.
func (s *argSchema) invalid(v any, path string) error {
	got := "this is " + kind(v)
	if text, ok := v.(string); ok && s.Type == "string" && s.Enum == nil && s.pattern == nil {
		got = fmt.Sprintf("this one has %d", utf8.RuneCountInString(text))
	}
	return apperr.Invalid(path, "The argument %s must be %s; %s. Example: %s.", path, s.rule(), got, example(last(path)))
}

func kind(v any) string {
	switch v := v.(type) {
	case string:
		return "other text"
	case json.Number:
		return "the number " + shorten(v.String())
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return "a list of " + strconv.Itoa(len(v))
	default:
		return "an object"
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// last returns the name of the argument at the end of a path.
func last(path string) string {
	path, _, _ = strings.Cut(path[strings.LastIndexByte(path, '.')+1:], "[")
	return path
}

// shorten bounds a text of the caller in an error message.
func shorten(text string) string {
	const most = 60
	return truncate.Bytes(strings.ToValidUTF8(text, ""), most)
}

// shortValue bounds the value of a field in a list of changes.
func shortValue(text string) string {
	const most = 200
	return truncate.Ellipsis(text, most)
}

func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
