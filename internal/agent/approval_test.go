package agent_test

import (
	"fmt"
	"strings"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/message"
	enttask "errand/ent/task"
	"errand/internal/apperr"
	"errand/internal/approval"
	"errand/internal/chat"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// deleter is a model that deletes the tasks with the numbers, each by a call, and then reports the results.
func deleter(numbers ...int) *scripted {
	return &scripted{script: func(q request) *llms.ContentChoice {
		if strings.HasPrefix(q.said, "delete") && len(q.results) == 0 {
			var calls []toolUse
			for _, n := range numbers {
				calls = append(calls, toolUse{"delete_task", fmt.Sprintf(`{"number":%d}`, n)})
			}
			return callTools("", calls...)
		}
		return answerText(fmt.Sprintf("%q has %d results.", q.said, len(q.results)))
	}}
}

func statuses(m *ent.Message) (all []enum.ToolCallStatus) {
	for _, c := range m.Edges.ToolCalls {
		all = append(all, c.Status)
	}
	return all
}

func callIDs(m *ent.Message) (all []string) {
	for _, c := range m.Edges.ToolCalls {
		all = append(all, c.ID)
	}
	return all
}

const awaiting = enum.ToolCallAwaiting

func TestHandle_SeveralDeletions_EndTheTurnWithAProposal(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, deleter(1, 3), settings{})
		w.createTasks("Milk", "Bread", "Eggs ![x](http://evil.example)")
		reply := w.send("delete tasks 1 and 3")
		require.Equal(t, enum.MessageCompleted, reply.Status)
		require.Equal(t, []enum.ToolCallStatus{awaiting, awaiting}, statuses(reply))
		require.Len(t, w.titles(), 3, "nothing is done before the approval")
		require.Contains(t, reply.Content, "Delete 2 tasks: #1 “Milk”, #3 “Eggs")
		require.NotContains(t, reply.Content, "![")
		c := reply.Edges.ToolCalls[0]
		require.Nil(t, c.Result)
		require.NotNil(t, c.ExpiresAt)
		require.Len(t, c.Proposal, 1)
		require.Equal(t, enum.ChangeDeleted, c.Proposal[0].Kind)
		require.Equal(t, []any{1, "Milk", 1}, []any{c.Proposal[0].Number, c.Proposal[0].Title, c.Proposal[0].Version})
	})
}

// The items of a call that are not proposed are stored with it, so that the reply after the approval knows them.
func TestHandle_OneCallForSeveralDeletions_AsksAndNamesWhatIsUncertain(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, caller("Shall I?", "delete_task", `{"tasks":["1","#2","report","violin"]}`), settings{})
		w.createTasks("Milk", "Bread", "Report for Ann", "Report for Bob")
		reply := w.send("delete tasks 1 and 2, the report and the violin")
		require.Equal(t, []enum.ToolCallStatus{awaiting}, statuses(reply))
		require.Len(t, w.titles(), 4, "nothing is done before the approval")
		require.Contains(t, reply.Content, "Delete 2 tasks: #1 “Milk”, #2 “Bread”\n- Not certain: “report” may mean #")
		require.Contains(t, reply.Content, "\n- Not found: “violin”\n")
		requireItems := func(result string) {
			for _, item := range []string{`"reference":"report"`, `"title":"Report for Bob"`, `"reference":"violin"`} {
				require.Contains(t, result, item)
			}
		}
		requireItems(*reply.Edges.ToolCalls[0].Result)
		d, err := w.chat.ApproveToolCalls(w.ctx, callIDs(reply))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"Report for Ann", "Report for Bob"}, w.titles())
		require.Equal(t, enum.ToolCallSucceeded, d.ToolCalls[0].Status)
		requireItems(*d.ToolCalls[0].Result)
		require.Contains(t, *d.ToolCalls[0].Result, `"title":"Milk"`)
		requireItems(w.await(d.AssistantMessage.ID).Content)
		stored := db.Client().User.Query().OnlyX(w.ctx)
		measured, err := quota.Measure(w.ctx, db.Client(), db.SQL(), stored.ID)
		require.NoError(t, err)
		require.Equal(t, measured.Bytes, stored.StoredBytes)
	})
}

// caller is a model that makes one call and then repeats the results.
func caller(text, name, arguments string) *scripted {
	return &scripted{script: func(q request) *llms.ContentChoice {
		if len(q.results) == 0 {
			return callTools(text, toolUse{name, arguments})
		}
		return answerText(strings.Join(q.results, "\n"))
	}}
}

func TestHandle_ItemsAlreadyDone_StayInTheResultAfterApproval(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, caller("", "complete_task", `{"tasks":["1","2","3","4","5","6","7"]}`), settings{})
		w.createTasks("A", "B", "C", "D", "E", "F", "G")
		_, err := w.tasks.CompleteTask(w.ctx, db.Client().Task.Query().Where(enttask.Number(1)).OnlyX(w.ctx).ID)
		require.NoError(t, err)
		reply := w.send("complete tasks 1 to 7")
		require.Contains(t, reply.Content, "Complete 6 tasks: #2")
		require.NotContains(t, reply.Content, "Not ")
		result := w.send("yes").Content
		require.Equal(t, 6, strings.Count(result, `"changed":true`), result)
		require.Equal(t, 1, strings.Count(result, `"changed":false`), result)
	})
}

func TestHandle_MessageInGerman_IsAskedInGerman(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, caller("", "delete_task", `{"tasks":["1","3","4"]}`), settings{})
		w.createTasks("Milch", "Brot", "Eier")
		reply := w.send("lösche die Aufgaben 1, 3 und 4")
		require.Equal(t, "Dafür brauche ich deine Zustimmung:\n\n- 2 Aufgaben löschen: #1 “Milch”, #3 “Eier”\n"+
			"- Nicht gefunden: “4”\n\nSoll ich das tun? Antworte „ja“ oder „nein“.", reply.Content)
		w.send("ja")
		require.Equal(t, []string{"Brot"}, w.titles())
	})
}

func TestApproveToolCalls_AwaitingCalls_AreDoneOnceAndReported(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, deleter(1, 3), settings{})
		w.createTasks("Milk", "Bread", "Eggs")
		reply := w.send("delete tasks 1 and 3")
		d, err := w.chat.ApproveToolCalls(w.ctx, callIDs(reply))
		require.NoError(t, err)
		require.Equal(t, []string{"Bread"}, w.titles())
		require.Equal(t, reply.Position+1, d.AssistantMessage.Position)
		for _, c := range d.ToolCalls {
			require.Equal(t, enum.ToolCallSucceeded, c.Status)
			require.Nil(t, c.ExpiresAt)
			require.Contains(t, *c.Result, `"approved":true`)
		}
		next := w.await(d.AssistantMessage.ID)
		require.Equal(t, `"delete tasks 1 and 3" has 2 results.`, next.Content)
		again, err := w.chat.ApproveToolCalls(w.ctx, callIDs(reply))
		require.NoError(t, err)
		require.Equal(t, next.ID, again.AssistantMessage.ID)
		require.Equal(t, 3, w.conversation().MessageCount)
		_, err = w.chat.RejectToolCalls(w.ctx, callIDs(reply))
		require.Equal(t, apperr.Conflict, apperr.CodeOf(err))
		require.Equal(t, "\"Thanks\" has 0 results.", w.send("Thanks").Content)
	})
}

func TestSendMessage_PlainYes_ApprovesAndContinuesTheTurn(t *testing.T) {
	for _, yes := range []string{"Yes", "ja, bitte!", "oui", "Sí, por favor", "はい", "да", "👍🏽"} {
		eachCase(t, yes, func(t *testing.T, db *store.DB) {
			w := newFixture(t, db, deleter(1, 2), settings{})
			w.createTasks("Milk", "Bread", "Eggs")
			asking := w.send("delete tasks 1 and 2")
			reply := w.send(yes)
			require.Equal(t, []string{"Eggs"}, w.titles(), yes)
			require.Equal(t, `"delete tasks 1 and 2" has 2 results.`, reply.Content)
			stored, err := w.chat.ToolCallsByMessage(w.ctx, []string{asking.ID})
			require.NoError(t, err)
			for _, c := range stored[asking.ID] {
				require.Equal(t, enum.ToolCallSucceeded, c.Status)
				require.Equal(t, reply.ID, *c.DecisionMessageID)
			}
		})
	}
}

func TestSendMessage_NoOrOtherMessage_Rejects(t *testing.T) {
	for said, content := range map[string]string{
		"no":                        `"delete tasks 1 and 2" has 2 results.`,
		"Nein danke":                `"delete tasks 1 and 2" has 2 results.`,
		"Yes, but what is overdue?": `"Yes, but what is overdue?" has 0 results.`,
		"What is overdue":           `"What is overdue" has 0 results.`,
	} {
		eachCase(t, said, func(t *testing.T, db *store.DB) {
			w := newFixture(t, db, deleter(1, 2), settings{})
			w.createTasks("Milk", "Bread", "Eggs")
			asking := w.send("delete tasks 1 and 2")
			require.Equal(t, content, w.send(said).Content)
			require.Len(t, w.titles(), 3, said)
			for _, c := range w.reload(asking.ID).Edges.ToolCalls {
				require.Equal(t, enum.ToolCallFailed, c.Status)
				require.Equal(t, approval.Rejected, approval.CodeOf(c))
			}
			_, err := w.chat.ApproveToolCalls(w.ctx, callIDs(asking))
			require.Equal(t, apperr.Conflict, apperr.CodeOf(err))
			w.send("yes")
			require.Len(t, w.titles(), 3, "a rejected call is not approved later")
		})
	}
}

func TestApproveToolCalls_TaskChangedSince_IsSkippedAndNamed(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, deleter(1, 2), settings{})
		w.createTasks("Milk", "Bread")
		reply := w.send("delete tasks 1 and 2")
		milk := reply.Edges.ToolCalls[0].Proposal[0].TaskID
		_, err := w.tasks.UpdateTask(w.ctx, milk, task.Patch{Title: task.Some("Oat milk")})
		require.NoError(t, err)
		d, err := w.chat.ApproveToolCalls(w.ctx, callIDs(reply))
		require.NoError(t, err)
		require.Equal(t, []string{"Oat milk"}, w.titles())
		require.Equal(t, approval.Stale, approval.CodeOf(d.ToolCalls[0]))
		require.Equal(t, enum.ToolCallSucceeded, d.ToolCalls[1].Status)
		again, err := w.chat.ApproveToolCalls(w.ctx, callIDs(reply)[:1])
		require.NoError(t, err, "a stale call was approved")
		require.Equal(t, d.AssistantMessage.ID, again.AssistantMessage.ID)
	})
}

// A call that was decided holds its place in the turn, and changes that were approved do not count towards the limit.
func TestHandle_ManyChanges_NeedOneApprovalAndAreAllDone(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newOfflineFixture(t, db)
		for i := range 12 {
			w.createTasks(fmt.Sprintf("Task number %d", i+1))
		}
		reply := w.send("complete tasks 1, 2, 3, 4, 5, 6, 7 and 8")
		require.NotContains(t, strings.Join(w.titles(), " "), "✓")
		require.Contains(t, reply.Content, "Complete 8 tasks")
		reply = w.send("yes")
		require.Equal(t, 8, strings.Count(strings.Join(w.titles(), " "), "✓"), reply.Content)
		reply = w.send("delete all my tasks")
		require.Contains(t, reply.Content, "Delete 12 tasks")
		require.Len(t, w.titles(), 12)
		reply = w.send("yes")
		require.Empty(t, w.titles())
		require.Contains(t, reply.Content, "Deleted 12 tasks")
	})
}

func TestHandle_UnnamedDeletionAfterReading_NeedsApproval(t *testing.T) {
	reader := &scripted{script: func(q request) *llms.ContentChoice {
		switch len(q.results) {
		case 0:
			return callTools("", toolUse{"list_tasks", `{}`})
		case 1:
			return callTools("", toolUse{"delete_task", `{"number":1}`})
		default:
			return answerText("Done.")
		}
	}}
	for said, asks := range map[string]bool{
		"What is on my list?":                       true,
		"I am in room 1":                            true,
		"delete all but task 1":                     true,
		"delete the water bill":                     true,
		"don't forget task 1":                       true,
		"see https://example.com/issues/1#1":        true,
		"move the meeting to room 1-3":              true,
		"Please delete task 1":                      false,
		"get rid of #1":                             false,
		"delete the cat task":                       false,
		"lösche Aufgabe 1":                          false,
		"feed cat: is it done? then remove it, ok?": false,
	} {
		eachCase(t, said, func(t *testing.T, db *store.DB) {
			w := newFixture(t, db, reader, settings{})
			w.createTasks("Feed the cat", "Water the plants")
			last := w.send(said).Edges.ToolCalls[1]
			require.Equal(t, asks, last.Status == awaiting, "%s", last.Status)
		})
	}
}

// A name that two tasks have names neither; and the second is not deleted because the first one is gone.
func TestHandle_NameOfTwoTasks_NamesNeither(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		w := newFixture(t, db, &scripted{script: func(q request) *llms.ContentChoice {
			switch len(q.results) {
			case 0:
				return callTools("", toolUse{"list_tasks", `{}`})
			case 1, 2:
				return callTools("", toolUse{"delete_task", fmt.Sprintf(`{"number":%d}`, len(q.results))})
			default:
				return answerText("Done.")
			}
		}}, settings{})
		w.createTasks("Feed the cat", "Cat food")
		require.Equal(t, awaiting, w.send("delete the cat task").Edges.ToolCalls[1].Status)
		reply := w.send("yes")
		require.Equal(t, []enum.ToolCallStatus{awaiting}, statuses(reply))
		require.Equal(t, []string{"Cat food"}, w.titles())
	})
}

func TestHandle_Policy_AsksAlwaysNeverOrRefuses(t *testing.T) {
	for mode, want := range map[enum.ApprovalMode]enum.ToolCallStatus{
		enum.ApprovalAuto:  enum.ToolCallSucceeded,
		enum.ApprovalAsk:   awaiting,
		enum.ApprovalNever: enum.ToolCallFailed,
	} {
		eachCase(t, string(mode), func(t *testing.T, db *store.DB) {
			w := newFixture(t, db, deleter(1, 2), settings{})
			w.createTasks("Milk", "Bread")
			v, err := viewer.Require(w.ctx)
			require.NoError(t, err)
			db.Client().User.UpdateOneID(v.UserID).
				SetApprovalPolicy(enum.ApprovalPolicy{"delete_task": mode}).ExecX(w.ctx)
			require.Equal(t, []enum.ToolCallStatus{want, want}, statuses(w.send("delete tasks 1 and 2")))
		})
	}
}

// eachCase runs a case of a test on both engines.
func eachCase(t *testing.T, name string, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { eachEngine(t, test) })
}

// Only the calls that were open when the user wrote are approved.
func TestSendMessage_YesBeforeTheQuestion_ApprovesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, db *store.DB) {
		sent := make(chan struct{})
		model := deleter(1, 2)
		script := model.script
		model.script = func(q request) *llms.ContentChoice {
			<-sent
			return script(q)
		}
		w := newFixture(t, db, model, settings{})
		w.createTasks("Milk", "Bread")
		first, err := w.chat.SendMessage(w.ctx, chat.SendMessageInput{Content: "delete tasks 1 and 2"})
		require.NoError(t, err)
		second, err := w.chat.SendMessage(w.ctx, chat.SendMessageInput{
			ConversationID: &first.Conversation.ID,
			Content:        "yes",
		})
		require.NoError(t, err)
		close(sent)
		w.await(second.AssistantMessage.ID)
		require.Len(t, w.titles(), 2)
		for _, c := range w.reload(first.AssistantMessage.ID).Edges.ToolCalls {
			require.Equal(t, approval.Rejected, approval.CodeOf(c))
		}
	})
}

// await waits for the end of a reply.
func (w *fixture) await(id string) *ent.Message {
	w.t.Helper()
	for {
		if m := w.reload(id); m.Status.Terminal() {
			return m
		}
		<-w.ended
	}
}

func (w *fixture) reload(id string) *ent.Message {
	w.t.Helper()
	m, err := w.db.Client().Message.Query().Where(message.ID(id)).WithToolCalls().Only(w.ctx)
	require.NoError(w.t, err)
	return m
}
