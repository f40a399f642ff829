// Package intent reads what a user wants from a message in everyday English. It looks at
// the user's words only: stored task text never passes through here.
package intent

import (
	"errand/internal/due"
	"errand/internal/offline/text"
)

// Kind is what a request asks for.
type Kind int

// The kinds of request.
const (
	Unknown Kind = iota
	Say          // small talk; Topic returns which
	Add
	List
	Show // the details of the tasks in Refs
	Complete
	Reopen
	Delete
	Update
)

// Topic is what small talk is about.
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

// Request is one thing that a message asks for.
type Request struct {
	Kind  Kind
	Topic Topic
	// Said is the request in the user's words, for reports.
	Said string
	// Rhythm is the repetition asked for ("every monday"); with NoRepeat.
	Rhythm string
	// Refs are the tasks meant; for Show, Complete, Reopen, Delete and Update.
	Refs []Reference
	// Fields are the values to store; for Add and Update.
	Fields Fields
	// Filter chooses what List shows.
	Filter Filter
	// Verb is set when a report of a deed ("I bought the groceries") stands for Complete: the
	// title must contain this base form ("buy") before anything is changed without asking.
	Verb string
	// Fault says in full sentences why the request cannot be done; nothing is done then.
	Fault string

	// explicit requests name a task, a list or a new task, so that they may begin behind "and" even in free text.
	explicit bool
	// free requests end in text that a user may continue with "and".
	free bool
	// several adds want their titles one by one: in titles, or in the lines that follow.
	several bool
	titles  text.Text
}

// RefKind is how a task is named.
type RefKind int

// The ways to name a task.
const (
	ByNumber   RefKind = iota
	BySearch           // by words of its title
	ByPlace            // "the second one": Place in what was shown last, -1 for the last
	It                 // "it", "that task"
	Shown              // "both", "them": everything shown last; Count when a number was named
	Everything         // "all completed tasks": all with Status
	Unnamed            // "a task": which one was not said
)

// Reference names one task or several.
type Reference struct {
	Kind   RefKind
	Number int
	Phrase string
	// Exact means that the phrase was quoted.
	Exact  bool
	Place  int
	Count  int
	Status string // "all", "pending" or "completed"
	// Filter narrows Everything further; nil when all with Status are meant.
	Filter *Filter

	// firm references cannot be mistaken for ordinary words.
	firm bool
}

// Contextual reports whether the reference depends on what was said before.
func (r Reference) Contextual() bool {
	return r.Kind == ByPlace || r.Kind == It || r.Kind == Shown || r.Kind == Unnamed
}

// Fields are the values that a request gives to a task. Zero means "leave alone".
type Fields struct {
	Title string
	// Description replaces the text; with AppendNote it is added on a new line.
	Description string
	AppendNote  bool
	Priority    string
	Due         *due.Date
	// Later moves the due date on from where it is.
	Later      *due.Span
	AddLabels  []string
	DropLabels []string

	ClearDescription bool
	ClearDue         bool
	ClearLabels      bool
}

// NeedsCurrent reports whether the task must be read before the change can be made.
func (f Fields) NeedsCurrent() bool {
	return f.AppendNote || f.Later != nil || f.Due != nil && f.Due.AnyDay || len(f.AddLabels) > 0 || len(f.DropLabels) > 0
}

// Filter is what a listing shows. Zero values do not filter.
type Filter struct {
	Status   string // "all", "pending" or "completed"
	Search   string
	Label    string
	Priority string
	Days     due.Range
	// When names the days in the user's words ("this week").
	When string
	// Overdue keeps pending tasks whose time has passed.
	Overdue bool
	// Dated keeps tasks that have a due date.
	Dated bool
	// Undated keeps tasks that have none.
	Undated bool
	// ByCompletion means that the days were meant for the completion, which tools cannot filter.
	ByCompletion bool
}
