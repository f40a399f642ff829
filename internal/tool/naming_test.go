package tool_test

import (
	"context"
	"strings"
	"testing"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/task"
	"errand/internal/tool"

	"github.com/stretchr/testify/require"
)

func TestNaming_Messages_NameOnlyWhatTheUserMeans(t *testing.T) {
	const title = "Feed the cat"
	for message, named := range map[string]bool{
		"delete task 12":                               true,
		"delete 12":                                    true,
		"delete #12, please":                           true,
		"delete ＃１２":                                   true,
		"delete 3, 4 and 12":                           true,
		"complete tasks 10 to 14":                      true,
		"Delete tasks 10-14":                           true,
		"remove number 12":                             true,
		"lösche Aufgabe 12":                            true,
		"borra la tarea 12":                            true,
		"удали задачу 12":                              true,
		"feed the cat can go":                          true,
		"the cats are fed: FEEDING my CÁT":             true,
		"room 12-16":                                   false,
		"delete 12 old tasks":                          false,
		"delete tasks older than 12 days":              false,
		"cancel 12 o'clock":                            false,
		"see https://example.com/x#12":                 false,
		"see www.example.com/task/12":                  false,
		"I need 12 eggs":                               false,
		"call 555-12":                                  false,
		"on December 12":                               false,
		"tidy up my list":                              false,
		"what about the cat?":                          false,
		"delete the cat task":                          false, // Resolve finds what it means
		"":                                             false,
		"move the dog walk to 12:30":                   false,
		"delete the meeting at 12":                     false,
		"postpone the party by 12 days, then":          false,
		"delete all but task 12":                       false,
		"delete everything, keep task 12":              false,
		"delete all, not 12":                           false,
		"don't delete task 12":                         false,
		"lösche alles außer Aufgabe 12":                false,
		"borra todo excepto la tarea 12":               false,
		"I haven't fed the cat":                        false,
		"feed " + strings.Repeat("x ", 20) + "the cat": false,
		"delete task 12, not task 13":                  true,
	} {
		require.Equal(t, named, tool.NewNaming(message, "").Names(deletion(12, title)), message)
	}
	const question = "Shall I delete task 12 “Feed the cat”?"
	require.True(t, tool.NewNaming("yes", question).Names(deletion(12, title)))
	require.True(t, tool.NewNaming("Sí", question).Names(deletion(12, title)))
	require.True(t, tool.NewNaming("12", "Which one: #12 or #13?").Names(deletion(12, title)))
	require.False(t, tool.NewNaming("14", "Which one: #12 or #13?").Names(deletion(12, title)))
	require.False(t, tool.NewNaming("no", question).Names(deletion(12, title)))
	require.False(t, tool.NewNaming("hello", question).Names(deletion(12, title)))
	require.False(t, tool.NewNaming("12 all today", "").Names(deletion(3, "12")), "a number is no name")
	require.False(t, tool.NewNaming("12 all today", "").Names(deletion(3, "Today")), "nor is a word that selects")
	require.True(t, tool.NewNaming("删除买牛奶", "").Names(deletion(3, "买牛奶")))
}

func deletion(number int, title string) enum.ProposedChange {
	return enum.ProposedChange{TaskID: title, Number: number, Title: title, Kind: enum.ChangeDeleted}
}

// references are tasks of which each reference names at most one.
type references struct {
	tool.Tasks
	certain map[string]string
	asked   []string
}

func (r *references) FindTaskByReference(_ context.Context, text string, _ task.Scope) (*task.Match, error) {
	r.asked = append(r.asked, text)
	if title := r.certain[text]; title != "" {
		return &task.Match{Certain: &ent.Task{ID: title}}, nil
	}
	return &task.Match{}, nil
}

func TestNaming_ObjectOfDeletion_IsResolved(t *testing.T) {
	for message, asked := range map[string][]string{
		"Delete the cat task":                       {"the cat task"},
		"lösche die Katze":                          {"die Katze", "Katze"},
		"I fed it. Remove the cat, the dog and 12.": {"the cat, the dog and 12", "the cat", "the dog"},
		"tell me about the cat":                     nil,
		"delete all except the cat":                 {"all"},
		"delete " + strings.Repeat("x", 300):        nil,
		"delete " + strings.Repeat("x, ", 50):       {strings.TrimSpace(strings.Repeat("x, ", 50)), "x", "x", "x", "x"},
	} {
		tasks := &references{certain: map[string]string{"the cat": "Feed the cat", "Katze": "Katze füttern", "x": "x"}}
		n := tool.NewNaming(message, "")
		require.NoError(t, n.Resolve(t.Context(), tasks))
		require.Subset(t, tasks.asked, asked, message)
		require.LessOrEqual(t, len(tasks.asked), 16, message)
		require.Equal(t, strings.Contains(message, "Remove the cat,"), n.Names(deletion(1, "Feed the cat")), message)
		require.Equal(t, strings.Contains(message, "die Katze"), n.Names(deletion(1, "Katze füttern")), message)
	}
}
