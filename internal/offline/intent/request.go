package intent

import (
	"errand/internal/due"
	"errand/internal/tasktext"
	"errand/internal/text"
)

// Kind is the kind of a request; it is part of the names of rules and of the sentences of replies.
type Kind string

// The kinds of request.
const (
	Say      Kind = "say" // small talk; see Topic
	Add      Kind = "add"
	List     Kind = "list"
	Show     Kind = "show" // the details of the tasks in Refs
	Complete Kind = "complete"
	Reopen   Kind = "reopen"
	Delete   Kind = "delete"
	Update   Kind = "update"
	Restore  Kind = "restore" // the tasks in Refs, from the trash
	Undo     Kind = "undo"    // the last change, or the changes to the tasks in Refs
	Redo     Kind = "redo"    // what the last undo took back
	Recent   Kind = "recent"  // what was changed lately; Filter.Days, and Filter.Added for additions alone
	Correct  Kind = "correct" // the last change: Fields and Refs are the right ones, Instead the wrong ones
)

// Topic is the topic of small talk. It is the name of the sentence that replies to it.
type Topic string

// The topics of small talk.
const (
	Greeting     Topic = "greeting"
	HowAreYou    Topic = "how-are-you"
	Thanks       Topic = "thanks"
	Farewell     Topic = "farewell"
	Acknowledged Topic = "okay"
	Praise       Topic = "praise"       // also complaints
	LeftAlone    Topic = "left-alone"   // "don't delete it"
	NoRepeat     Topic = "no-repeat"    // "every monday"
	NoCondition  Topic = "no-condition" // "if it rains"
	NoReminder   Topic = "no-reminder"  // "set a reminder for task 1 at 4pm": nothing can notify
	Clock        Topic = "clock"        // "what day is it"
	Help         Topic = "help"         // "what can you do"
)

// Courtesy reports whether a reply to the topic is left out beside other text.
func (t Topic) Courtesy() bool {
	switch t {
	case Greeting, HowAreYou, Thanks, Farewell, Acknowledged, Praise:
		return true
	}
	return false
}

// Message is what one message means.
type Message struct {
	// Requests are in order, without those that the message retracts ("delete 1, never mind").
	Requests []Request
	// Retracted are the requests that the message retracts.
	Retracted []Request
	// Left are the parts that were not understood, in the user's words. They are never dropped: the reply names them, and
	// a deletion or completion beside them needs a yes.
	Left []string
	// Answer is the message as an answer to an open question, nil if it cannot be one. It may have requests too.
	Answer *Answer
	// More is the message as one more task, for "and eggs too" after an addition; nil if it cannot be one.
	More *Request
	// Foreign is what to reply to a message in a language that is not understood, in that language.
	Foreign string
}

// Request is one request of a message.
type Request struct {
	Kind   Kind
	Topic  Topic
	Said   string      // the request in the user's words, for replies
	Refs   []Reference // its tasks; for Show, Complete, Reopen, Delete, Update, Restore and Correct
	Fields Fields      // the values to store; for Add, Update and Correct
	Filter Filter      // for List and Recent
	Asked  string      // the field that a Show asks for: "due", "priority", "labels", "description", "status", "number"

	// Instead are the tasks that a Correct replaces: 1 in "not 1, 2".
	Instead []Reference
	// Verb is set when a Complete is expressed as a past action ("I bought the groceries"). If the title does not contain
	// this base form ("buy"), the change requires a confirmation.
	Verb string
	// Rhythm is the requested repetition ("every monday"); for NoRepeat, and for an Add with Offer, which adds it once.
	Rhythm string
	// Reminder is set for an Add by "remind me": the reply states that no notification will come. Place is its place or
	// event, which nothing can watch ("when I get home"); with Offer.
	Reminder bool
	Place    string
	// DateLeft are words that look like a date and stayed in the title, because they are not certain.
	DateLeft string

	// Rejection is set when the request cannot be executed: sentences for the user that state why.
	Rejection string
	// Offer is set if the request is not certain, or was a question ("delete task 1?"): ask "Shall I …?" first.
	// DidYouMean is then the request in the words that were probably meant ("delete task 1" for "delte task 1").
	Offer      bool
	DidYouMean string
	// Titled is set with Offer if the request is certain when its task has exactly this title: "water the plants is done".
	Titled bool
	// Bare is set if the message has no command: "task 3", "my tasks", "dentist friday".
	Bare bool

	explicit bool      // names a task, a list or a new task, so that it may follow "and" even in free text
	free     bool      // ends in text that may contain "and"
	loose    bool      // an Add by a verb alone: "add milk"
	single   bool      // never concerns all tasks: "all done" is not a command
	removes  bool      // its labels are to be removed
	asksHelp bool      // a Say that asks for help with this program, so that it ends a title before it
	several  bool      // an Add with several titles: those in titles, or on the following lines
	titles   text.Text // the title as written
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
	Everything         // "all completed tasks": all of Filter
	Unnamed            // "a task": not specified
	Other              // "the other one": the task shown last that was not mentioned last
)

// Reference is a reference to one or several tasks.
type Reference struct {
	Kind   RefKind
	Number int
	Phrase string
	// Exact means that the phrase was quoted.
	Exact bool
	Place int
	Count int
	// Filter is the filter of Everything.
	Filter Filter
	// Except are the tasks that Everything or Shown does not include: "all but the report".
	Except []Reference

	// firm references are unambiguous: they cannot be ordinary words.
	firm bool
}

// Contextual reports whether the reference depends on earlier messages or on the whole list.
func (r Reference) Contextual() bool { return r.Kind != ByNumber && r.Kind != BySearch }

// Fields are the values that a request sets. Zero values leave the field unchanged.
type Fields struct {
	// Values has the labels to add. The description replaces the text; with AppendNote it is added on a new line.
	tasktext.Values
	AppendNote bool
	// Shift is the argument shift_due of the tool for an Update: "two days", "to friday", "5pm". Due is set too if the
	// words are a date.
	Shift string
	// OldText and NewText are set to replace a part of the title: "replace Bob with Alice in task 1".
	OldText, NewText string

	DropLabels []string
	Clear      []string // names of fields to empty: "due", "labels" or "description"
}

// Merge sets the fields of a new task in other that f lacks.
func (f *Fields) Merge(other Fields) {
	if f.Due == nil {
		f.Shift = other.Shift
	}
	f.Values.Merge(other.Values)
}

// Filter is the filter of a listing. Zero values do not filter.
type Filter struct {
	Status       string // "all", "pending" or "completed"
	Search       string
	Label        string
	Word         string   // a label or a word of titles ("my work tasks"): the label if there is one, else a search
	Priorities   []string // those of "urgent and high priority"
	Days         due.Range
	When         string // the days in the user's words ("this week")
	At           string // a time of day, "17:00": "due at 5pm tomorrow"
	ByCompletion bool   // Days refer to the completion
	Added        bool   // Days refer to the creation
	Due          string // "overdue", "any" for tasks with a due date, or "none"
	Trashed      bool   // deleted tasks
	Sort         string // the argument sort of the tool
	Limit        int    // the number of tasks to show, 0 for all
	Count        bool   // only the number of tasks is asked for
}
