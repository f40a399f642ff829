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
