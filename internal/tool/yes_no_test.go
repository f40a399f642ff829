package tool_test

import (
	"testing"

	"errand/internal/tool"

	"github.com/stretchr/testify/require"
)

func TestReadYesNo_PlainAnswers_AreRead(t *testing.T) {
	for _, yes := range []string{
		"yes", "Yes!", " YES, please. ", "yep", "ok", "Okay, thanks", "go ahead", "Yes, do it", "yes yes", "Yes, all of them",
		"Ja", "ja bitte", "Oui", "d'accord", "s'il te plaît oui", "sí", "Sim", "да", "はい", "是的", "네", "نعم", "👍", "👍🏿", "Tak",
	} {
		is, ok := tool.ReadYesNo(yes)
		require.True(t, is && ok, yes)
	}
	for _, no := range []string{
		"no", "No.", "nope", "no thanks", "don't", "cancel", "never mind", "Nein", "lieber nicht", "non merci", "não", "нет",
		"いいえ", "不要", "아니요", "لا", "👎", "no, no",
	} {
		is, ok := tool.ReadYesNo(no)
		require.True(t, !is && ok, no)
	}
	for _, other := range []string{
		"", "?", "yes?", "yes but not the milk", "nai", "ya", "no wait, yes", "yes no", "ok, and add bread", "not yet",
		"maybe", "yesterday",
		"what did I say no to", "please", "12", "yes and delete task 4 too", "know", "okra",
		"He said: yes", "yes\nyes\nyes\nand also delete the others, all of them, now",
	} {
		_, ok := tool.ReadYesNo(other)
		require.False(t, ok, other)
	}
}

func TestNaming_Messages_NameOnlyWhatTheUserMeans(t *testing.T) {
	const title = "Feed the cat"
	for message, named := range map[string]bool{
		"delete task 12":                      true,
		"delete 12":                           true,
		"delete #12, please":                  true,
		"delete 3, 4 and 12":                  true,
		"complete tasks 10 to 14":             true,
		"Delete tasks 10-14":                  true,
		"remove number 12":                    true,
		"lösche Aufgabe 12":                   true,
		"borra la tarea 12":                   true,
		"удали задачу 12":                     true,
		"feed the cat can go":                 true,
		"delete the cat task":                 true,
		"room 12-16":                          false,
		"delete 12 old tasks":                 false,
		"delete tasks older than 12 days":     false,
		"see https://example.com/x#12":        false,
		"see www.example.com/task/12":         false,
		"I need 12 eggs":                      false,
		"call 555-12":                         false,
		"on December 12":                      false,
		"tidy up my list":                     false,
		"what about the cat?":                 false,
		"":                                    false,
		"move the dog walk to 12:30":          false,
		"delete the meeting at 12":            false,
		"postpone the party by 12 days, then": false,
	} {
		require.Equal(t, named, tool.NewNaming(message, "").Names(12, title), message)
	}
	const question = "Shall I delete task 12 “Feed the cat”?"
	require.True(t, tool.NewNaming("yes", question).Names(12, title))
	require.True(t, tool.NewNaming("12", "Which one: #12 or #13?").Names(12, title))
	require.False(t, tool.NewNaming("14", "Which one: #12 or #13?").Names(12, title))
	require.False(t, tool.NewNaming("no", question).Names(12, title))
	require.False(t, tool.NewNaming("hello", question).Names(12, title))
}
