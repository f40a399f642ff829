package phrase

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestCatalogue_EachLanguage_HasThePhrasesOfEnglish(t *testing.T) {
	placeholders := func(form string) []string {
		found := regexp.MustCompile(`\{[a-z]*\}`).FindAllString(form, -1)
		slices.Sort(found)
		return found
	}
	for _, l := range catalogue() {
		require.NotEmpty(t, l.name)
		require.Len(t, l.phrases, len(English().phrases), l.Tag)
		for key, english := range English().phrases {
			require.NotEmpty(t, l.phrases[key].One, "%s: %s", l.Tag, key)
			require.Equal(t, placeholders(english.One), placeholders(l.phrases[key].One), "%s: %s", l.Tag, key)
			require.Equal(t, placeholders(english.Other), placeholders(l.phrases[key].Other), "%s: %s", l.Tag, key)
		}
		for w := range l.words {
			require.False(t, strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) || unicode.IsUpper(r) }),
				"%s: %q is never found", l.Tag, w)
		}
	}
}

func TestCatalogue_Keys_AreThoseOfEnglish(t *testing.T) {
	keys := []Key{
		ApprovalIntro, ApprovalQuestion, ProposeDeleted, ProposeCompleted, ProposeReopened, ProposeRestored, ProposeUpdated,
		AndMore, NotCertain, NotFound, NotPossible, Receipt, ReceiptNothing, ReceiptCreated, ReceiptUpdated,
		ReceiptCompleted, ReceiptReopened, ReceiptDeleted, ReceiptRestored,
	}
	for key := range English().phrases {
		require.Contains(t, keys, key)
	}
	require.Len(t, English().phrases, len(keys))
}

func TestDetect_Message_ReturnsItsLanguage(t *testing.T) {
	for message, want := range map[string]string{
		"":                                    "en",
		"12":                                  "en",
		"delete tasks 1 and 2":                "en",
		"Delete “Das Boot”":                   "en",
		"lösche 1 und 2":                      "de",
		"Bitte Aufgabe 3 erledigen":           "de",
		"LÖSCHE THE WALL UND THE BAND":        "de",
		"borra las tareas 1 y 2":              "es",
		"supprime les tâches 1 et 2":          "fr",
		"削除して":                                "en",
		"удали задачи 1 и 2":                  "en",
		"buy milk":                            "en",
		"Zeige mir alle Aufgaben, die morgen": "de",
	} {
		require.Equal(t, want, Detect(message).Tag, message)
	}
}

func TestText_ValuesWithPlaceholders_AreLeftWhole(t *testing.T) {
	require.Equal(t, "- Delete 1 task: #1 “{count} {name}”",
		"- "+English().Text(ProposeDeleted, Values{Count: 1, Tasks: "#1 “{count} {name}”", Name: "x"}))
	require.Equal(t, "2 Aufgaben löschen: a, b", Detect("lösche").Text(ProposeDeleted, Values{Count: 2, Tasks: "a, b"}))
}
