package intent

import "strings"

// heads are the values of rules by their names. A name "say-thanks" stands for a topic.
var heads = map[string]Request{
	"retract": {Kind: retract},
	"keep":    {Kind: keep},
	"undo":    {Kind: Undo}, "redo": {Kind: Redo}, "restore": {Kind: Restore}, "reopen": {Kind: Reopen},
	"complete": {Kind: Complete}, "complete-one": {Kind: Complete, single: true},
	"complete-offer": {Kind: Complete, Offer: true, Titled: true},
	"complete-any":   {Kind: Complete, Refs: []Reference{{Kind: Unnamed}}},
	"delete":         {Kind: Delete}, "delete-any": {Kind: Delete, Refs: []Reference{{Kind: Unnamed}}},

	"update": {Kind: Update}, "update-one": {Kind: Update, single: true},
	"append":       {Kind: Update, Fields: Fields{AppendNote: true}},
	"unlabel":      {Kind: Update, removes: true},
	"clear-due":    {Kind: Update, Fields: Fields{Clear: []string{"due"}}},
	"clear-labels": {Kind: Update, Fields: Fields{Clear: []string{"labels"}}},
	"clear-note":   {Kind: Update, Fields: Fields{Clear: []string{"description"}}},
	"ask-title":    {Kind: Update},
	"ask-shift": {
		Kind:      Update,
		Bare:      true,
		Rejection: "Until when? Please tell me the new date, for example “by two days” or “to friday”.",
	},

	"show": {Kind: Show, single: true}, "show-bare": {Kind: Show, single: true, Bare: true},
	"show-them": {Kind: Show, Refs: []Reference{{Kind: Shown}}},
	"recent":    {Kind: Recent}, "recent-added": {Kind: Recent, Filter: Filter{Added: true}},
	"list": {Kind: List}, "list-trashed": {Kind: List, Filter: Filter{Trashed: true, Status: "all"}},

	"add": {Kind: Add}, "add-loose": {Kind: Add, loose: true}, "add-many": {Kind: Add, several: true},
	"remind": {Kind: Add, Reminder: true},

	"ask-help": {Kind: Say, Topic: Help, asksHelp: true},

	"topic": {}, "wish": {}, // their captures are clauses

	"ref-it": refer(Reference{Kind: It}), "ref-other": refer(Reference{Kind: Other}),
	"ref-both": refer(Reference{Kind: Shown, Count: 2}), "ref-three": refer(Reference{Kind: Shown, Count: 3}),
	"ref-shown": refer(Reference{Kind: Shown}), "ref-unnamed": refer(Reference{Kind: Unnamed}),
	"ref-all":  refer(Reference{Kind: Everything, Filter: Filter{Status: "all"}}),
	"ref-done": refer(Reference{Kind: Everything, Filter: Filter{Status: "completed"}}),
	"ref-open": refer(Reference{Kind: Everything, Filter: Filter{Status: "pending"}}),
}

func refer(r Reference) Request { return Request{Refs: []Reference{r}} }

// headOf returns the values of a rule. Names without values of their own have a detail: "say-thanks" a topic, "show-due"
// the field that is asked for, "add-urgent" a priority. ok is false if there is no such name.
func headOf(name string) (head Request, ok bool) {
	if head, ok = heads[name]; ok {
		return head, true
	}
	kind, detail, _ := strings.Cut(name, "-")
	switch head, ok = heads[kind]; {
	case kind == "say":
		return Request{Kind: Say, Topic: Topic(detail)}, true
	case kind == "show":
		head.Asked = detail
	default:
		head.Fields.Priority = detail
	}
	return head, ok
}

// concernsTasks reports whether a request of the kind has references.
func (q *Request) concernsTasks() bool {
	switch q.Kind {
	case Show, Complete, Reopen, Delete, Update, Restore:
		return true
	}
	return false
}
