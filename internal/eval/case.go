package eval

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

//go:embed cases
var builtinCases embed.FS

// heldOutDirectory holds the cases that the writers of the built-in model do not read.
const heldOutDirectory = "held_out"

// Case is a conversation and its required result.
type Case struct {
	// Kind groups cases in the report; Name is unique within it and defaults to the tasks and messages.
	Kind, Name string
	// HeldOut marks the cases that are kept apart from those by which a model is improved.
	HeldOut bool `json:"held_out"`
	// Have are the tasks before the conversation, numbered from 1.
	Have []Task
	// Say are the user's messages, sent one after the other.
	Say []string
	// Zone is the user's time zone, an IANA name; if it is empty, a zone in which it is about 10:00.
	Zone string
	// Want is the required result. Alts are other acceptable ones; an alternative that is the same or honest counts as
	// declined.
	Want Want
	Alts []Want
	// Note is for readers of the file.
	Note string
}

// Want is a result of a conversation. Exactly one of Tasks and Same is set.
type Want struct {
	// Tasks are the tasks outside the trash, ordered by number.
	Tasks *[]Task
	// Same requires that nothing was changed.
	Same bool
	// Honest requires that the last reply declines, asks, or says that something was not done.
	Honest bool
	// Says and SaysNot are regular expressions, without regard to case, that the last reply matches or does not match.
	Says, SaysNot []string
}

// Task is a task before or after a conversation; in JSON, a title or an object. In Want, Title is a regular expression
// for the whole title without regard to case. Fields that Want omits must be unchanged, or empty for a new task.
type Task struct {
	Title string
	// Description is a part of the description: a regular expression. It is not compared for new tasks that omit it.
	Description string
	Done        bool
	// Priority is none, low, medium, high or urgent; in Want, a list of accepted ones.
	Priority words
	// Due is a due expression (see dueDates); in Want, a list of accepted ones.
	Due    words
	Labels *[]string
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Task) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &t.Title)
	}
	type object Task
	return decodeStrictly(data, (*object)(t))
}

// words is a list of strings; in JSON, a list of one may be a string.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*w = words{""}
		return json.Unmarshal(data, &(*w)[0])
	}
	return json.Unmarshal(data, (*[]string)(w))
}

func decodeStrictly(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// caseFile is the form of the built-in files.
type caseFile struct {
	Kind  string
	Cases []Case
}

// Builtin returns the built-in cases: those of each kind together, and those held out after the others.
func Builtin() ([]Case, error) {
	var open, heldOut []Case
	err := fs.WalkDir(builtinCases, "cases", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := builtinCases.ReadFile(name)
		if err != nil {
			return err
		}
		var file caseFile
		if err := decodeStrictly(content, &file); err != nil {
			return fmt.Errorf("parsing %s: %w", name, err)
		}
		for _, c := range file.Cases {
			c.Kind = file.Kind
			if path.Base(path.Dir(name)) == heldOutDirectory {
				c.HeldOut = true
				heldOut = append(heldOut, c)
				continue
			}
			open = append(open, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return checkCases(append(open, heldOut...))
}

// Parse parses a JSON list of cases, each with its kind, and validates them.
func Parse(file []byte) ([]Case, error) {
	var cases []Case
	if err := decodeStrictly(file, &cases); err != nil {
		return nil, fmt.Errorf("parsing cases: %w", err)
	}
	return checkCases(cases)
}

// checkCases completes names, and returns an error for the first invalid case.
func checkCases(cases []Case) ([]Case, error) {
	names := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		if c.Name == "" {
			c.Name = c.conversation()
		}
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("case %q of kind %q: %w", c.Name, c.Kind, err)
		}
		if names[c.Kind+": "+c.Name] {
			return nil, fmt.Errorf("case %q of kind %q: the name is not unique", c.Name, c.Kind)
		}
		names[c.Kind+": "+c.Name] = true
	}
	return cases, nil
}

// conversation describes the case by its messages and the titles of its tasks.
func (c *Case) conversation() string {
	text := strings.Join(c.Say, " / ")
	if len(c.Have) == 0 {
		return text
	}
	titles := make([]string, len(c.Have))
	for i, t := range c.Have {
		titles[i] = t.Title
	}
	return text + " [" + strings.Join(titles, "; ") + "]"
}

func (c *Case) validate() error {
	if c.Kind == "" || len(c.Say) == 0 {
		return fmt.Errorf("a kind and at least one message are required")
	}
	for _, t := range c.Have {
		if len(t.Due) > 1 || len(t.Priority) > 1 {
			return fmt.Errorf("task %q before the conversation has alternatives", t.Title)
		}
		if err := t.validate(); err != nil {
			return err
		}
	}
	for _, w := range append([]Want{c.Want}, c.Alts...) {
		if err := w.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (w Want) validate() error {
	if w.Same == (w.Tasks != nil) {
		return fmt.Errorf("a result has either tasks or same")
	}
	for _, pattern := range append(append([]string{}, w.Says...), w.SaysNot...) {
		if _, err := compile(pattern); err != nil {
			return err
		}
	}
	if w.Tasks == nil {
		return nil
	}
	for _, t := range *w.Tasks {
		if _, err := compile(t.Title); err != nil {
			return err
		}
		if err := t.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (t Task) validate() error {
	if t.Title == "" {
		return fmt.Errorf("a task has no title")
	}
	for _, expression := range t.Due {
		if err := checkDue(expression); err != nil {
			return err
		}
	}
	for _, p := range t.Priority {
		switch p {
		case "none", "low", "medium", "high", "urgent":
		default:
			return fmt.Errorf("unknown priority %q", p)
		}
	}
	return nil
}

func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile("(?is)" + pattern)
}
