package language

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/eval"
	"errand/internal/offline/intent"

	"github.com/stretchr/testify/require"
)

// testNow is a Wednesday.
var testNow = due.At(time.Date(2026, 11, 25, 11, 35, 0, 0, time.UTC), time.Monday)

func TestFiles_Languages_AreComplete(t *testing.T) {
	require.GreaterOrEqual(t, len(all()), 20)
	commands := 0
	for _, l := range all() {
		require.Contains(t, l.reply, "OPENAI_API_KEY", l.tag)
		require.True(t, len(l.words) > 0 || len(l.scripts) > 0, l.tag)
		if len(l.commands) == 0 {
			continue
		}
		commands++
		kinds := map[string]bool{}
		for _, c := range l.commands {
			kinds[c.kind] = true
		}
		for _, kind := range []string{"add", "list", "complete", "reopen", "delete", "rename", "due", "undo"} {
			require.True(t, kinds[kind], "%s: %s", l.tag, kind)
		}
	}
	require.GreaterOrEqual(t, commands, 7)
}

// TestFiles_Sentences_AreThoseOfEnglish: a language may lack sentences, but has no others, and no other values.
func TestFiles_Sentences_AreThoseOfEnglish(t *testing.T) {
	values := func(sentence string) []string {
		found := regexp.MustCompile(`\{[^}]*\}`).FindAllString(sentence, -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	withSentences := 0
	for _, l := range all() {
		if len(l.sentences) > 0 {
			withSentences++
		}
		for key, sentence := range l.sentences {
			if !strings.HasPrefix(key, "list-") && !strings.HasPrefix(key, "none-") {
				require.True(t, english().Has(key), "%s: %s", l.tag, key)
				want := strings.ReplaceAll(english().sentences[key], "{examples}", "")
				require.Equal(t, values(want), values(sentence), "%s: %s", l.tag, key)
			}
		}
	}
	require.GreaterOrEqual(t, withSentences, 8)
}

// TestSay_Languages_FallBackToEnglish also replaces a value that looks like a place only once.
func TestSay_Languages_FallBackToEnglish(t *testing.T) {
	_, german := Parse("Lösche Aufgabe 1", testNow)
	require.Equal(t, "Gelöscht: Aufgabe 1: {2}", german.Say("done-delete", "1: {2}", "x"))
	require.Equal(t, "Thank you for telling me. What can I do for your task list?", german.Say("praise"))
	require.Equal(t, "Deleted task 1", (*Language)(nil).Say("done-delete", "1"))
}

// TestParse_English_IsNotTranslated reads the messages of all evaluation cases but those in other languages.
func TestParse_English_IsNotTranslated(t *testing.T) {
	cases, err := eval.Builtin()
	require.NoError(t, err)
	for _, c := range cases {
		if c.Kind == "languages" || strings.Contains(c.Name, "German") {
			continue
		}
		for _, message := range c.Say {
			m, l := Parse(message, testNow)
			require.Nil(t, l, message)
			require.True(t, reflect.DeepEqual(intent.Parse(message, testNow), m), message)
		}
	}
}

func TestParse_Commands_AreTranslated(t *testing.T) {
	for _, test := range []struct {
		message string
		kind    intent.Kind
		title   string
		due     string
	}{
		{"Füge Milch kaufen für morgen um 17 Uhr hinzu", intent.Add, "Milch kaufen", "Thu 26 Nov 2026, 17:00"},
		{"fuege milch kaufen hinzu", intent.Add, "Milch kaufen", ""},
		{"Neue Aufgabe: Arzt am 5. Mai", intent.Add, "Arzt", "Wed 5 May 2027"},
		{"Erinnere mich in 3 Tagen an das Paket", intent.Add, "Paket", "Sat 28 Nov 2026"},
		{`Füge „Bis morgen“ hinzu`, intent.Add, "Bis morgen", ""},
		{"Añade pagar mañana a las 5 de la tarde", intent.Add, "Pagar", "Thu 26 Nov 2026, 17:00"},
		{"anade pagar manana", intent.Add, "Pagar", "Thu 26 Nov 2026"},
		{"Rappelle-moi d’appeler Paul vendredi à 9h30", intent.Add, "Appeler Paul", "Fri 27 Nov 2026, 09:30"},
		{"Adicione pagar dia 7 de maio", intent.Add, "Pagar", "Fri 7 May 2027"},
		{"कल शाम 5 बजे दूध लाना जोड़ो", intent.Add, "दूध लाना", "Thu 26 Nov 2026, 17:00"},
		{"kal shaam 5 baje doodh lana jodo", intent.Add, "Doodh lana", "Thu 26 Nov 2026, 17:00"},
		{"کل دودھ لانا شامل کرو", intent.Add, "دودھ لانا", "Thu 26 Nov 2026"},
		{"添加任务：明天下午5点半买牛奶，面包", intent.Add, "买牛奶，面包", "Thu 26 Nov 2026, 17:30"},
		{"把任务1改到下周五", intent.Update, "", "Fri 4 Dec 2026"},
		{"Verschiebe Aufgabe 2 auf übermorgen", intent.Update, "", "Fri 27 Nov 2026"},
		{"Benenne Aufgabe 1 in Brot: heute um", intent.Update, "Brot: heute", ""},
		{"Zeig mir bitte meine Aufgaben", intent.List, "", ""},
		{"Puedes borrar la tarea 1?", intent.Delete, "", ""},
		{"J’ai terminé la tâche 1", intent.Complete, "", ""},
		{"Reabra a tarefa 1", intent.Reopen, "", ""},
	} {
		m, _ := Parse(test.message, testNow)
		require.Len(t, m.Requests, 1, test.message)
		r := m.Requests[0]
		require.Equal(t, test.kind, r.Kind, test.message)
		require.Equal(t, test.title, r.Fields.Title, test.message)
		require.False(t, r.Offer, test.message)
		require.Equal(t, test.message, r.Said, "the reply quotes the user's words")
		got := ""
		if r.Fields.Due != nil {
			got = r.Fields.Due.String()
		}
		require.Equal(t, test.due, got, test.message)
	}
}

func TestParse_HelpAfterCommand_IsNoPartOfTheTitle(t *testing.T) {
	for message, title := range map[string]string{
		"Füge Milch kaufen hinzu und sag mir, was du kannst":                           "Milch kaufen",
		"Füge Milch kaufen hinzu, und sag mir bitte, was du alles kannst.":             "Milch kaufen",
		"Neue Aufgabe: Steuer und was kannst du?":                                      "Steuer",
		"Erinnere mich an Milch, und kannst du mir helfen?":                            "Milch",
		"Erinnere mich daran, Ann anzurufen, und erkläre mir, wie ich Aufgaben lösche": "Ann anzurufen",
		"Füge Brot hinzu. Was kannst du?":                                              "Brot",
		"Add bread, and tell me what you can do":                                       "Bread",
		"Add bread and what can you do?":                                               "Bread",
		"Remind me to bake, then show me how to delete a task":                         "Bake",
		"Add bread, and can you help me?":                                              "Bread",
		"Füge Erste Hilfe und Hilfe hinzu":                                             "",
		"Füge hinzu: Tom fragen, was du kannst":                                        "",
		"Add call Ann and tell her what you can do":                                    "",
		"Add practice guitar and help mom move":                                        "",
		"Add read chapter 3 and explain how it works":                                  "",
		"Add a task to tell me what you can do":                                        "",
	} {
		m, _ := Parse(message, testNow)
		require.Empty(t, m.Left, message)
		require.Equal(t, intent.Add, m.Requests[0].Kind, message)
		require.False(t, m.Requests[0].Offer, message)
		if title == "" {
			require.Len(t, m.Requests, 1, message)
			continue
		}
		require.Len(t, m.Requests, 2, message)
		require.Equal(t, title, m.Requests[0].Fields.Title, message)
		require.Equal(t, intent.Help, m.Requests[1].Topic, message)
	}
}

func TestParse_NotCertain_NothingChanges(t *testing.T) {
	for _, message := range []string{
		"Lösche nicht Aufgabe 1", "Lösche alle Aufgaben außer Aufgabe 1", "No borres la tarea 1",
		"Ne supprime pas la tâche 1", "Não apague a tarefa 1", "कार्य 1 मत हटाओ", "task 1 mat hatao", "کام 1 مت ہٹاؤ",
		"不要删除任务1", "Wenn es regnet, lösche Aufgabe 1", "Erinnere mich jeden Montag an den Müll",
		"Verschiebe Aufgabe 1 auf irgendwann", "Supprime la tâche 1 sauf si je pars",
	} {
		m, _ := Parse(message, testNow)
		require.Empty(t, m.Requests, message)
		require.NotEmpty(t, m.Foreign, message)
	}
	for _, message := range []string{"Lösche Aufgabe 1?", "删除任务1吗？", "¿Borro la tarea 1?"} {
		m, _ := Parse(message, testNow)
		for _, r := range m.Requests {
			require.True(t, r.Offer, message)
		}
	}
	m, _ := Parse("Lösche Aufgabe 1. Vergiss es.", testNow)
	require.Len(t, m.Retracted, 1)
	require.Equal(t, intent.LeftAlone, m.Requests[0].Topic)
	m, _ = Parse("Lösche Aufgabe 1. Und dann mach mal irgendwas.", testNow)
	require.Equal(t, []string{"Und dann mach mal irgendwas"}, m.Left)
}

func TestDetect_Languages_BySentence(t *testing.T) {
	for message, want := range map[string]string{
		"Wie geht es dir?": "de", "¿Cómo estás?": "es", "Quel temps fait-il ?": "fr", "Olá, como você está?": "pt",
		"你好吗？": "zh", "今日の天気は?": "ja", "안녕하세요": "ko", "Как дела?": "ru", "Як твої справи, є завдання?": "uk",
		"كيف حالك؟": "ar", "حال شما چطور است؟": "fa", "آپ کیسے ہیں؟": "ur", "आप कैसे हैं?": "hi",
		"तुम्ही कसे आहात? माझी कामे दाखवा": "mr", "kaise ho bhai, sab theek hai": "hi-latn", "দুধ কেনা": "bn",
		"పాలు కొనాలి": "te", "பால் வாங்க": "ta", "ਦੁੱਧ ਖਰੀਦੋ": "pa", "Mostra le mie attività": "it",
		"Toon mijn taken": "nl", "Dodaj zadanie na jutro": "pl", "Görevlerimi göster": "tr",
		"Hiển thị công việc của tôi": "vi", "Tampilkan semua tugas saya": "id", "Onyesha kazi zangu zote": "sw",
		"Ipakita ang mga gawain ko": "tl", "Nuna mini ayyuka na": "ha",
		"abeg show me wetin dey my list": "pcm", "Wetin I wan do today?": "pcm", "una sabi wey di list dey?": "pcm",
		"مینوں میرے کم وکھاؤ": "pnb", "دودھ لیاؤنا اے کل نوں": "pnb", "میرے کام دکھاؤ": "ur", "show me my list": "",
		"add Don Quixote to the list": "", "una taza": "",
		"die hard": "", "oat milk": "", "la croix": "",
		"add Wurst kaufen to the list": "", "": "", "42": "", "🙂": "",
	} {
		got := ""
		if l := detect(message); l != nil {
			got = l.tag
		}
		require.Equal(t, want, got, message)
	}
}

func FuzzParse(f *testing.F) {
	for _, message := range []string{
		"Lösche Aufgabe 1. Vergiss es.", "添加任务：明天买牛奶", "kal jodo", "„\"", "¿?", "am 5. Mai",
	} {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		m, _ := Parse(message, testNow)
		for _, r := range m.Requests {
			if r.Kind == "" {
				t.Fatalf("%q has an unknown request", message)
			}
		}
	})
}

// BenchmarkParse_LongMessage parses the longest messages that cost most.
func BenchmarkParse_LongMessage(b *testing.B) {
	for _, words := range []string{"a,", "de,", "'a ", "上 ", "supprime ", "é ", "please ", "move 1 to friday and "} {
		message := strings.Repeat(words, 8000/utf8.RuneCountInString(words))
		b.Run(strings.TrimSpace(words), func(b *testing.B) {
			for b.Loop() {
				Parse(message, testNow)
			}
		})
	}
}
