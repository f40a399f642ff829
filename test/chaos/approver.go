package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"time"

	"errand/internal/testclient"
)

// approvers is the number of users whose turns propose changes, which are then decided and undone.
const approvers = 4

const (
	createTaskDoc = `mutation ($in: CreateTaskInput!) { createTask(input: $in) { task { id number title version } } }`
	editTaskDoc   = `mutation ($id: ID!) { updateTask(input: {id: $id, priority: LOW}) { task { id } } }`
	replyDoc      = `query ($id: ID!) { node(id: $id) { ... on Message { id status toolCalls { id status result } } } }`
	approveDoc    = `mutation ($ids: [ID!]!) { decide: approveToolCalls(ids: $ids) ` + decisionFields + ` }`
	rejectDoc     = `mutation ($ids: [ID!]!) { decide: rejectToolCalls(ids: $ids) ` + decisionFields + ` }`
	undoTurnDoc   = `mutation ($id: ID!) { undo: undoTurn(messageId: $id) ` + undoFields + ` }`
	undoBatchDoc  = `mutation ($id: ID!) { undo: undoChange(id: $id) ` + undoFields + ` }`

	decisionFields = `{ toolCalls { id status } assistantMessage { id } }`
	undoFields     = `{ batchId undone { task { id } } skipped { change { task { id } } } }`
)

// approver is a user whose tasks a model proposes to delete, round after round. The decisions compete with each other,
// with edits and with expiry, and replicas are killed meanwhile.
type approver struct {
	*environment
	name   string
	random *rand.Rand
	rounds []*round
}

// round is one proposal with what was done about it. Its fields are written by one goroutine at a time.
type round struct {
	name  string
	tasks []*approvedTask
	// conversation, reply and call are where the proposal was made.
	conversation, reply, call string

	mu sync.Mutex
	// decided is the first decision that a response reported: SUCCEEDED or FAILED.
	decided string
	// following is the reply that follows the approval.
	following string
	// mayFail means that the call was to be rejected or to expire, and mayPass that it was to be approved.
	mayFail, mayPass bool
	// undone and redone mean that all that the approval did was undone, and done again.
	undone, redone bool
}

// approvedTask is a task of a round.
type approvedTask struct {
	ID, Title       string
	Number, Version int
	// edited means that the user has changed the priority to LOW before the proposal was decided, or the turn undone.
	edited bool
	// kinds are the expected changes of a round without a proposal, after the creation.
	kinds []string
}

// run performs rounds until ctx ends, approves half of the calls that were left open, and waits for all replies.
func (a *approver) run(ctx context.Context) {
	kinds := []func(*approver, *round){
		(*approver).approve, (*approver).approve, (*approver).approveOrReject, (*approver).sayYes, (*approver).sayNo,
		(*approver).editAndApprove, (*approver).expire, (*approver).leaveOpen,
	}
	for n := 0; ctx.Err() == nil && a.violations.err() == nil; n++ {
		r := &round{name: fmt.Sprintf("%s-r%d", a.name, n)}
		if !a.createTasks(r) {
			return
		}
		if a.random.IntN(4) == 0 {
			a.editAndUndo(r)
			continue
		}
		if !a.propose(r) {
			return
		}
		a.rounds = append(a.rounds, r)
		kinds[a.random.IntN(len(kinds))](a, r)
		a.undo(r)
	}
	for i, r := range a.rounds {
		if isOpen := r.call != "" && !r.mayFail && !r.mayPass; isOpen && i%2 == 0 {
			a.approve(r)
		}
		if r.following != "" {
			a.await(r, r.following)
		}
	}
}

// createTasks creates the tasks of a round, each with an idempotency key.
func (a *approver) createTasks(r *round) bool {
	for i := range 3 {
		title := fmt.Sprintf("%s-%d", r.name, i)
		var data struct{ CreateTask struct{ Task approvedTask } }
		in := testclient.Vars{"title": title, "idempotencyKey": title}
		if !a.do(createTaskDoc, testclient.Vars{"in": in}, &data) {
			return false
		}
		t := data.CreateTask.Task
		r.tasks = append(r.tasks, &t)
	}
	return true
}

// propose lets the model delete the tasks of the round, and waits for the proposal.
func (a *approver) propose(r *round) bool {
	list, _ := json.Marshal([]string{r.tasks[0].Title, fmt.Sprint(r.tasks[1].Number), fmt.Sprint("#", r.tasks[2].Number)})
	reply, ok := a.converse(r, "call "+r.name+`: delete_task {"tasks":`+string(list)+`}`)
	if !ok {
		return false
	}
	if len(reply.ToolCalls) != 1 || reply.ToolCalls[0].Status != "AWAITING_APPROVAL" {
		a.violations.add("%s: the reply has the calls %v, want one that waits for approval", r.name, reply.ToolCalls)
		return false
	}
	r.reply, r.call = reply.ID, reply.ToolCalls[0].ID
	a.count("proposals")
	return true
}

// converse sends a message in the round's conversation, with which the conversation begins, and waits for the reply.
func (a *approver) converse(r *round, content string) (testclient.Message, bool) {
	reply, ok := a.say(r, content)
	if !ok {
		return testclient.Message{}, false
	}
	return a.await(r, reply)
}

// say sends a message and returns the ID of the reply.
func (a *approver) say(r *round, content string) (string, bool) {
	in := testclient.Vars{"content": content, "idempotencyKey": r.name + strings.Fields(content)[0]}
	if r.conversation != "" {
		in["conversationId"] = r.conversation
	}
	var data struct {
		SendMessage struct{ Conversation, AssistantMessage struct{ ID string } }
	}
	ok := a.do(sendDoc, testclient.Vars{"in": in}, &data)
	r.conversation = data.SendMessage.Conversation.ID
	return data.SendMessage.AssistantMessage.ID, ok
}

// await waits until a reply has ended.
func (a *approver) await(r *round, reply string) (testclient.Message, bool) {
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline) && a.clientCtx.Err() == nil; {
		var data struct{ Node testclient.Message }
		if !a.do(replyDoc, testclient.Vars{"id": reply}, &data) {
			return testclient.Message{}, false
		}
		if data.Node.Terminal() {
			return data.Node, true
		}
		sleep(a.clientCtx, 50*time.Millisecond)
	}
	if a.clientCtx.Err() == nil {
		a.violations.add("%s: the reply %s has not ended after %s", r.name, reply, settleTimeout)
	}
	return testclient.Message{}, false
}

// approve approves the call from several clients at once.
func (a *approver) approve(r *round) {
	r.mayPass = true
	a.concurrently(a.decide(r, approveDoc), a.decide(r, approveDoc), a.decide(r, approveDoc))
}

func (a *approver) approveOrReject(r *round) {
	r.mayPass, r.mayFail = true, true
	a.concurrently(a.decide(r, approveDoc), a.decide(r, rejectDoc), a.decide(r, approveDoc))
}

// sayYes approves the call by a message and from another client at once.
func (a *approver) sayYes(r *round) {
	r.mayPass = true
	a.concurrently(func() { a.converse(r, "Yes") }, a.decide(r, approveDoc))
}

// sayNo rejects the call by a message.
func (a *approver) sayNo(r *round) {
	r.mayFail = true
	said := []string{"No, thanks", "turn " + r.name + ":"}[a.random.IntN(2)]
	a.concurrently(func() { a.converse(r, said) })
}

// editAndApprove changes one of the tasks between the question and the approval.
func (a *approver) editAndApprove(r *round) {
	r.mayPass = true
	t := r.tasks[a.random.IntN(len(r.tasks))]
	if t.edited = a.do(editTaskDoc, testclient.Vars{"id": t.ID}, nil); t.edited {
		a.approve(r)
	}
}

// expire lets the approval expire while clients approve it.
func (a *approver) expire(r *round) {
	r.mayPass, r.mayFail = true, true
	a.concurrently(func() { a.expireCall(r) }, a.decide(r, approveDoc), a.decide(r, approveDoc))
}

// leaveOpen leaves the proposal open.
func (a *approver) leaveOpen(*round) {}

// decide returns a function that decides about the call and records the response. A CONFLICT means that another
// decision was quicker.
func (a *approver) decide(r *round, document string) func() {
	return func() {
		var data struct {
			Decide struct {
				ToolCalls        []testclient.ToolCall
				AssistantMessage *struct{ ID string }
			}
		}
		conflict := false
		if !request(a.environment, a.name, document, testclient.Vars{"ids": []string{r.call}}, &data, func(code string) bool {
			conflict = code == "CONFLICT"
			return conflict
		}) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if conflict {
			if !r.mayFail {
				a.violations.add("%s: a decision is in conflict with none", r.name)
			}
			return
		}
		if got := data.Decide.ToolCalls[0].Status; r.decided == "" {
			r.decided = got
		} else if r.decided != got {
			a.violations.add("%s: the call was decided twice: %s and %s", r.name, r.decided, got)
		}
		if m := data.Decide.AssistantMessage; m != nil && r.following == "" {
			r.following = m.ID
		} else if m != nil && r.following != m.ID {
			a.violations.add("%s: two replies follow the approval: %s and %s", r.name, r.following, m.ID)
		}
	}
}

// concurrently runs functions at once and, in half of the cases, kills a replica meanwhile.
func (a *approver) concurrently(functions ...func()) {
	var group sync.WaitGroup
	if a.random.IntN(2) == 0 && !a.Rolling {
		victim, delay := a.replicas[a.random.IntN(len(a.replicas))], time.Duration(a.random.IntN(40))*time.Millisecond
		group.Go(func() {
			sleep(a.clientCtx, delay)
			a.count("kills during decisions")
			_ = victim.signal(syscall.SIGKILL, 0)
		})
	}
	for _, f := range functions {
		group.Go(f)
	}
	group.Wait()
}

// undo takes back what an approval did, in most of the rounds, and does it again in half of those.
func (a *approver) undo(r *round) {
	if r.following == "" || a.random.IntN(3) == 0 {
		return
	}
	batch := a.undoAtOnce(r, undoTurnDoc, r.following)
	if batch == "" {
		return
	}
	r.undone = true
	if a.random.IntN(2) == 0 {
		r.redone = a.undoAtOnce(r, undoBatchDoc, batch) != ""
	}
}

// undoAtOnce undoes a batch from two clients and returns the batch of the undo.
func (a *approver) undoAtOnce(r *round, document, id string) (batch string) {
	undo := func() {
		var data struct {
			Undo struct {
				BatchID string
				Undone  []struct{}
				Skipped []struct{}
			}
		}
		if !a.do(document, testclient.Vars{"id": id}, &data) {
			return
		}
		want := 0
		for _, t := range r.tasks {
			if !t.edited {
				want++
			}
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		switch got := data.Undo; {
		case len(got.Undone) != want || len(got.Skipped) > 0:
			a.violations.add("%s: an undo took back %d changes and skipped %d, want %d and none",
				r.name, len(got.Undone), len(got.Skipped), want)
		case batch != "" && batch != got.BatchID:
			a.violations.add("%s: a change was undone twice, by %s and %s", r.name, batch, got.BatchID)
		default:
			batch = got.BatchID
		}
	}
	a.count("undos")
	a.concurrently(undo, undo)
	return batch
}

// editAndUndo lets the model change two tasks, edits one of them, and undoes the turn. The edit must remain.
func (a *approver) editAndUndo(r *round) {
	list := fmt.Sprintf(`{"tasks":["%d","%d"],"priority":"high"}`, r.tasks[0].Number, r.tasks[1].Number)
	reply, ok := a.converse(r, "call "+r.name+": update_task "+list)
	if !ok {
		return
	}
	if len(reply.ToolCalls) != 1 || reply.ToolCalls[0].Status != "SUCCEEDED" {
		a.violations.add("%s: the reply has the calls %v, want one that succeeded", r.name, reply.ToolCalls)
		return
	}
	edited, other := r.tasks[0], r.tasks[1]
	if !a.do(editTaskDoc, testclient.Vars{"id": edited.ID}, nil) {
		return
	}
	edited.edited, edited.kinds, other.kinds = true, []string{"UPDATED", "UPDATED"}, []string{"UPDATED"}
	a.rounds = append(a.rounds, r)
	undo := func() {
		if a.do(undoTurnDoc, testclient.Vars{"id": reply.ID}, nil) {
			r.mu.Lock()
			defer r.mu.Unlock()
			other.kinds = []string{"UPDATED", "UPDATED"}
		}
	}
	a.count("undos beside an edit")
	a.concurrently(undo, undo)
}

// do sends an operation of the user until it succeeds, like conversation.doWithRetry.
func (a *approver) do(document string, vars testclient.Vars, into any) bool {
	return request(a.environment, a.name, document, vars, into, nil)
}

// expireCall lets the approval of the round's call expire, if the database is reachable.
func (a *approver) expireCall(r *round) {
	db, err := openDatabase(a.environment)
	if err != nil {
		return
	}
	defer func() { _ = db.Close() }()
	sleep(a.clientCtx, time.Duration(a.random.IntN(20))*time.Millisecond)
	_, _ = db.ExecContext(a.clientCtx, `UPDATE tool_calls SET expires_at = $1
		WHERE id = $2 AND status = 'AWAITING_APPROVAL' AND expires_at IS NOT NULL`,
		time.Now().UTC().Add(-time.Minute), r.call)
}
