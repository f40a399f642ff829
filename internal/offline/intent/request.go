// Package intent parses the requests in a message in everyday English. Its only input is the user's message; stored task
// text is never parsed.
package intent

import (
	"errand/internal/due"
	"errand/internal/offline/text"
)

// Kind is the kind of a request.
type Kind int

// The kinds of request.
const (
	Unknown Kind = iota
	Say          // small talk; see Topic
	Add
	List
	Show // the details of the tasks in Refs
	Complete
	Reopen
	Delete
	Update
)

// Topic is the topic of small talk.
type Topic int

// The topics of small talk.
const (
	Greeting Topic = iota
	Thanks
	Help
	Farewell
	Acknowledged
	HowAreYou
	LeftAlone // "don't delete it"
	NoUndo
	NoRepeat // "every monday"
	NoCondition
)

// Request is one request of a message.
type Request struct {
	Kind  Kind
	Topic Topic
	// Said is the request in the user's words, for replies.
	Said string
	// Rhythm is the requested repetition ("every monday"); for NoRepeat.
	Rhythm string
	// Refs are the tasks of the request; for Show, Complete, Reopen, Delete and Update.
	Refs []Reference
	// Fields are the values to store; for Add and Update.
	Fields Fields
	// Filter is the filter of a List.
	Filter Filter
	// Verb is set when a Complete is expressed as a past action ("I bought the groceries"). If the title does not contain
	// this base form ("buy"), the change requires a confirmation.
	Verb string
	// Rejection is set when the request cannot be executed: sentences for the user that state why.
	Rejection string

	// explicit requests name a task, a list or a new task, so that they may follow "and" even in free text.
	explicit bool
	// free requests end in text that may contain "and".
	free bool
	// several is set for an Add with several titles: those in titles, or on the following lines.
	several bool
	titles  text.Text
}

// RefKind is the way in which a reference names tasks.
type RefKind int

// The kinds of reference.
const (
	ByNumber   RefKind = iota
	BySearch           // by words of its title
	ByPlace            // "the second one": Place in the last list, -1 for the last task
	It                 // "it", "that task"
	Shown              // "both", "them": all tasks shown last; Count when a number was given
	Everything         // "all completed tasks": all with Status
	Unnamed            // "a task": not specified
)

// Reference is a reference to one or several tasks.
type Reference struct {
	Kind   RefKind
	Number int
	Phrase string
	// Exact means that the phrase was quoted.
	Exact  bool
	Place  int
	Count  int
	Status string // "all", "pending" or "completed"
	// Filter further restricts Everything; nil means all tasks with Status.
	Filter *Filter

	// firm references are unambiguous: they cannot be ordinary words.
	firm bool
}

// Contextual reports whether the reference depends on earlier messages.
func (r Reference) Contextual() bool {
	return r.Kind == ByPlace || r.Kind == It || r.Kind == Shown || r.Kind == Unnamed
}

// Fields are the values that a request sets. Zero values leave the field unchanged.
type Fields struct {
	Title string
	// Description replaces the text; with AppendNote it is added on a new line.
	Description string
	AppendNote  bool
	Priority    string
	Due         *due.Date
	// KeepTime is set if a new day keeps the current time of day.
	KeepTime bool
	// Later are the words of a span by which the current due date is moved ("two days", "an hour earlier").
	Later      []string
	AddLabels  []string
	DropLabels []string

	ClearDescription bool
	ClearDue         bool
	ClearLabels      bool
}

// NeedsCurrent reports whether the task must be read before the change can be made.
func (f Fields) NeedsCurrent() bool {
	return f.AppendNote || len(f.Later) > 0 || f.Due != nil && (f.Due.AnyDay || f.KeepTime) || len(f.AddLabels) > 0 ||
		len(f.DropLabels) > 0
}

// Filter is the filter of a listing. Zero values do not filter.
type Filter struct {
	Status   string // "all", "pending" or "completed"
	Search   string
	Label    string
	Priority string
	Days     due.Range
	// When are the days in the user's words ("this week").
	When string
	// Overdue selects pending tasks whose due time has passed.
	Overdue bool
	// Dated selects tasks with a due date.
	Dated bool
	// Undated selects tasks without one.
	Undated bool
	// ByCompletion is set when the days refer to the completion, which the tools cannot filter by.
	ByCompletion bool
}
