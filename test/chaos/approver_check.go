package main

import (
	"slices"

	"errand/internal/testclient"
)

const (
	historyDoc = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { id title priority deletedAt version
		changes(first: 20) { nodes { kind batchId } } } } }`
	callDoc  = `query ($id: ID!) { node(id: $id) { ... on ToolCall { id status result } } }`
	countDoc = `{ live: tasks(first: 1) { totalCount } trash: tasks(first: 1, filter: {trashed: true}) { totalCount } }`
)

// storedTask is a task as historyDoc selects it.
type storedTask struct {
	ID, Title, Priority string
	DeletedAt           *string
	Version             int
	Changes             struct {
		Nodes []struct{ Kind, BatchID string }
	}
}

// check compares the calls and the tasks of all rounds with what was done. Every approval must have been used at most
// once, and every effect and undo must be exact.
func (a *approver) check() {
	created := 0
	for _, r := range a.rounds {
		created += len(r.tasks)
		if !a.checkRound(r) {
			return
		}
	}
	var counts struct{ Live, Trash struct{ TotalCount int } }
	if a.do(countDoc, nil, &counts) && counts.Live.TotalCount+counts.Trash.TotalCount < created {
		a.violations.add("%s: %d tasks were created, %d are left", a.name, created,
			counts.Live.TotalCount+counts.Trash.TotalCount)
	}
}

func (a *approver) checkRound(r *round) bool {
	status := ""
	if r.call != "" {
		var data struct{ Node testclient.ToolCall }
		if !a.do(callDoc, testclient.Vars{"id": r.call}, &data) {
			return false
		}
		status = data.Node.Status
		a.checkStatus(r, status)
	}
	ids := make([]string, len(r.tasks))
	for i, t := range r.tasks {
		ids[i] = t.ID
	}
	var data struct{ Nodes []*storedTask }
	if !a.do(historyDoc, testclient.Vars{"ids": ids}, &data) {
		return false
	}
	for i, t := range r.tasks {
		a.checkTask(r, t, data.Nodes[i], status)
	}
	a.count("rounds compared")
	return true
}

// checkStatus compares the status of a call with what was done about it.
func (a *approver) checkStatus(r *round, status string) {
	a.count("calls " + status)
	switch {
	case r.decided != "" && status != r.decided:
		a.violations.add("%s: the call was decided as %s and is %s", r.name, r.decided, status)
	case status == "SUCCEEDED" && !r.mayPass, status == "FAILED" && !r.mayFail,
		status == "AWAITING_APPROVAL" && (r.mayPass || r.mayFail):
		a.violations.add("%s: the call is %s", r.name, status)
	}
}

// checkTask compares a task with what was done to it.
func (a *approver) checkTask(r *round, t *approvedTask, stored *storedTask, status string) {
	if stored == nil {
		a.violations.add("%s: a task is missing", r.name)
		return
	}
	want, priority := r.expected(t, status), "NONE"
	if t.edited {
		priority = "LOW"
	}
	deleted := want[len(want)-1] == "DELETED"
	var got []string
	for _, c := range stored.Changes.Nodes {
		got = append(got, c.Kind)
	}
	if !slices.Equal(got, want) || stored.Priority != priority || (stored.DeletedAt != nil) != deleted ||
		stored.Version != len(want) {
		a.violations.add("%s: task %s has the changes %v, priority %s, deleted %t, version %d; want %v, %s, %t, %d", r.name,
			stored.Title, got, stored.Priority, stored.DeletedAt != nil, stored.Version, want, priority, deleted, len(want))
	}
	if len(got) > 1 && got[1] == "DELETED" && r.following != "" && stored.Changes.Nodes[1].BatchID != r.following {
		a.violations.add("%s: task %s was deleted in the batch %s, want the reply %s", r.name, stored.Title,
			stored.Changes.Nodes[1].BatchID, r.following)
	}
}

// expected returns the kinds of the changes of a task, if the call has the status.
func (r *round) expected(t *approvedTask, status string) []string {
	want := append([]string{"CREATED"}, t.kinds...)
	switch {
	case r.call != "" && t.edited:
		return append(want, "UPDATED")
	case status != "SUCCEEDED":
		return want
	}
	want = append(want, "DELETED")
	if r.undone {
		want = append(want, "RESTORED")
	}
	if r.redone {
		want = append(want, "DELETED")
	}
	return want
}
