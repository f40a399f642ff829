package tool

import (
	"sync"

	"errand/ent/enum"
)

// ChangingTools returns the names of the tools that change something, which an approval policy may list.
func ChangingTools() []string { return changingTools() }

var changingTools = sync.OnceValue(func() (names []string) {
	for _, t := range NewRegistry().Tools() {
		if !t.ReadOnly {
			names = append(names, t.Name)
		}
	}
	return names
})

// CanAsk reports whether calls of the tool can wait for approval: a proposal consists of changes of tasks.
func CanAsk(name string) bool {
	t := NewRegistry().Find(name)
	return t != nil && t.ChangesTasks()
}

// Approval is whether a call may make its changes.
type Approval int

// The decisions of ApprovalRequest.Decide.
const (
	// Proceed means that the changes are made.
	Proceed Approval = iota
	// Ask means that the user must approve the changes first.
	Ask
	// Refuse means that the user does not allow the tool.
	Refuse
)

// ApprovalRequest holds what the decision about a tool call depends on.
type ApprovalRequest struct {
	// Mode is the user's choice for the tool.
	Mode enum.ApprovalMode
	// Changes are those of the call, and of the calls that are decided with it.
	Changes []enum.ProposedChange
	// Earlier are the changes that earlier calls of the turn have made without approval.
	Earlier []enum.ProposedChange
	// ReadStoredText means that the model has read text that may hold injected instructions.
	ReadStoredText bool
	// Named reports whether the user's own words name the task of a change; nil means that there are none.
	Named func(enum.ProposedChange) bool
	// MaxChanges is how many existing tasks a turn may change without approval.
	MaxChanges int
}

// maxDeletions is how many tasks a turn may delete without approval.
const maxDeletions = 1

// Decide returns whether the changes may be made. Creating and restoring tasks never needs approval, nor does a change
// of a task that the turn itself has created. A call that changes nothing proceeds, unless its tool is refused.
func (r ApprovalRequest) Decide() Approval {
	switch r.Mode {
	case enum.ApprovalNever:
		return Refuse
	case enum.ApprovalAuto:
		return Proceed
	}
	made := countChanges(r.Earlier, r.Changes)
	switch {
	case len(made.changed) == 0:
		return Proceed
	case r.Mode == enum.ApprovalAsk,
		len(made.deleted) > 0 && len(made.allDeleted) > maxDeletions,
		len(made.allChanged) > r.MaxChanges:
		return Ask
	}
	if !r.ReadStoredText || r.Named == nil {
		return Proceed
	}
	for _, c := range made.deleted {
		if !r.Named(c) {
			return Ask
		}
	}
	return Proceed
}

// changeCount holds the changes of existing tasks.
type changeCount struct {
	// changed and deleted are those of the call; the sets hold the tasks of the whole turn.
	changed, deleted       []enum.ProposedChange
	allChanged, allDeleted map[string]bool
}

func countChanges(earlier, changes []enum.ProposedChange) changeCount {
	n := changeCount{allChanged: map[string]bool{}, allDeleted: map[string]bool{}}
	created := map[string]bool{}
	add := func(c enum.ProposedChange) bool {
		if c.Kind == enum.ChangeCreated {
			created[c.TaskID] = true
		}
		if created[c.TaskID] || c.Kind == enum.ChangeRestored {
			return false
		}
		n.allChanged[c.TaskID] = true
		if c.Kind == enum.ChangeDeleted {
			n.allDeleted[c.TaskID] = true
		}
		return true
	}
	for _, c := range earlier {
		add(c)
	}
	for _, c := range changes {
		if !add(c) {
			continue
		}
		n.changed = append(n.changed, c)
		if c.Kind == enum.ChangeDeleted {
			n.deleted = append(n.deleted, c)
		}
	}
	return n
}
