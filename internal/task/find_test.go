package task_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/apperr"
	"errand/internal/task"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// find returns a match as text: "=2" for a certain task 2, else the numbers of the candidates.
func (e *environment) find(t require.TestingT, ctx context.Context, reference string, scope task.Scope) string {
	m, err := e.FindTaskByReference(ctx, reference, scope)
	require.NoError(t, err)
	if m.Certain != nil {
		require.Empty(t, m.Candidates)
		return fmt.Sprint("=", m.Certain.Number)
	}
	var out []string
	for _, c := range m.Candidates {
		out = append(out, fmt.Sprint(c.Task.Number))
	}
	return strings.Join(out, " ")
}

func TestFindTaskByReference_KindsOfReferences_CertainOrCandidates(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		all := []string{
			"Chapter 7", "Catering order", "Take vitamin D", "Plan A", "Plan B", "Pay invoice 6", "Pay invoice 16",
			"Buy milk", "Buy oat milk", "Call Mom's dentist", "Café Müller anrufen", "Straße fegen", "東京都庁を訪問", "第8章を読む",
			"Feed the 🦊", "Learn C++", "Learn C", "Release v1.5", "Walking the dogs", "Water plants", "water Plants!",
			"Meeting room 12-16", "Renew passport (urgent)", "Say \"hello\" to Anna", "R&D budget", "Stories for Ida",
			"Clean the store", "Read the news", "Изучить ёлку", "Pay $50", "Chapter one", "회의 준비", "Bora Bora trip", "77 boxes",
			"Buy Eggs", "Ring Jen", "Hans anrufen", "Mom's list of all gifts", "フライパンを洗う", "ขนม", "Book ٣ flights",
			"写报告给老板", "B team meeting", "🇦🇺 🇸🇬",
		}
		for _, title := range all {
			e.create(t, ctx, title)
		}
		for _, c := range []struct{ reference, want string }{
			{"12", "=12"},
			{"#12", "=12"},
			{"task 12", "=12"},
			{"number 12", "=12"},
			{"Task #12, please", "=12"},
			{"１２", "=12"},
			{"the task number 12", "=12"},
			{"no. 12", "=12"},
			{"№ 12", "=12"},
			{"#8 buy milk", "=8"},
			{"#8 buy bread", "8"},
			{"12 tasks", "22"},
			{"77", "34"},
			{"#77", "34"},
			{"99", ""},
			{"task 99", ""},
			{"0", ""},
			{"99999999999999999999", ""},
			{"task 12-16", "22"},
			{"room 12", "22"},
			{"1.5", ""},
			{"release 1.5", "18"},
			{"delete chapter 8", "31 1"},
			{"chapter 8", "31 1"},
			{"chapter 7", "=1"},
			{"the chapter", "31 1"},
			{"chapter one", "=31"},
			{"the chapter one", "31 1"},
			{"the cat task", "2"},
			{"catering", "=2"},
			{"Catering ordre", "2"},
			{"caterings orders", "=2"},
			{"vitamin D", "=3"},
			{"vitamin a", "3"},
			{"the vitamin c task", "3"},
			{"plan a", "=4"},
			{"the plan B task", "=5"},
			{"plan", "5 4 21 20"},
			{"invoice 6", "=6"},
			{"invoice 1", "7 6"},
			{"pay invoice", "7 6"},
			{"buy milk", "=8"},
			{"milk", "8 9"},
			{"my oat milk, please", "=9"},
			{"the milk one", "8 9"},
			{"moms dentist", "=10"},
			{"mom's dentist", "=10"},
			{"mom’s dentist", "=10"},
			{"cafe muller", "=11"},
			{"CAFÉ MÜLLER", "=11"},
			{"strasse", "=12"},
			{"京都", "13"},
			{"東京", "=13"},
			{"都庁", "=13"},
			{"パン", "39"},
			{"フライパン", "=39"},
			{"นม", "=40"},
			{"报告", "=42"},
			{"告给", "=42"},
			{"egg", "35"},
			{"eggs", "=35"},
			{"ring jens", "36"},
			{"ring Jen's", "=36"},
			{"han anrufen", "37 11"},
			{"moms gifts", "=38"},
			{"٣٤", "=34"},
			{"3 flights", "=41"},
			{"book 4 flights", "41"},
			{"a team meeting", "43 22"},
			{"the team meeting", "=43"},
			{"🇺🇸", ""},
			{"🇸🇬", "=44"},
			{"訪問", "=13"},
			{"第8章", "=14"},
			{"第7章", ""},
			{"第", "14"},
			{"8章", "=14"},
			{"🦊", "=15"},
			{"🐱", ""},
			{"c++", "=16"},
			{"learn c", "=17"},
			{"c", "=17"},
			{"walk the dog", "=19"},
			{"walked dogs", "=19"},
			{"water plants", "21 20"},
			{"renewing passport urgent", "=23"},
			{"“hello”", "=24"},
			{"r&d", "=25"},
			{"story", "=26"},
			{"the store", "=27"},
			{"stored", "=27"},
			{"new", "28"},
			{"изучить елку", "=29"},
			{"pay $50", "=30"},
			{"pay €50", "30"},
			{"회의", "=32"},
			{"bora bora", "=33"},
			{"bora bora bora", "33"},
			{"the task", ""},
			{"please", ""},
			{"one", "31"},
			{"two", ""},
			{"it", ""},
			{"all tasks", "38"},
			{"to", "24"},
			{"task_00000000000000000000000000", ""},
			{"\"C\"", "=17"},
		} {
			got := e.find(t, ctx, c.reference, task.Scope{})
			if got != c.want {
				t.Errorf("%q: got %q, want %q", c.reference, got, c.want)
			}
			all, indexed, err := e.RankedCertain(ctx, c.reference)
			require.NoError(t, err)
			if indexed != all {
				t.Errorf("%q: the search index finds %q, a comparison of all titles %q", c.reference, indexed, all)
			}
		}
	})
}

func TestFindTaskByReference_Scope_SelectsState(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		open, done := e.create(t, ctx, "Water plants"), e.create(t, ctx, "Water plants")
		gone := e.create(t, ctx, "Water plants")
		_, err := e.CompleteTask(ctx, done.ID)
		require.NoError(t, err)
		_, err = e.DeleteTask(ctx, gone.ID)
		require.NoError(t, err)
		trash := task.Scope{Trashed: new(true)}
		for i, reference := range []string{"water", open.ID, "1", done.ID, "2", gone.ID, "3"} {
			require.Equal(t, []string{"=1", "=1", "=1", "", "", "", ""}[i],
				e.find(t, ctx, reference, task.Scope{Status: new(enum.TaskPending)}))
			require.Equal(t, []string{"=2", "", "", "=2", "=2", "", ""}[i],
				e.find(t, ctx, reference, task.Scope{Status: new(enum.TaskCompleted)}))
			require.Equal(t, []string{"=3", "", "", "", "", "=3", "=3"}[i], e.find(t, ctx, reference, trash))
			require.Equal(t, []string{"2 1", "=1", "=1", "=2", "=2", "", ""}[i], e.find(t, ctx, reference, task.Scope{}))
		}
	})
}

func TestFindTaskByReference_OtherUser_FindsNothing(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		mine := e.create(t, ctx, "Secret")
		other := e.client.User.Create().SetSubject("bob").SetTimeZone("UTC").SaveX(rule.System(t.Context()))
		as := viewer.NewContext(t.Context(), viewer.Viewer{UserID: other.ID})
		for _, reference := range []string{"secret", "secre", mine.ID, "1"} {
			require.Empty(t, e.find(t, as, reference, task.Scope{}))
		}
	})
}

func TestFindTaskByReference_InvalidReference_IsBadUserInput(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for _, reference := range []string{
			"", " ", "!?", "\u200b", strings.Repeat("a", 301), strings.Repeat("a ", 101), "a\x00b", "\xff",
		} {
			_, err := e.FindTaskByReference(ctx, reference, task.Scope{})
			require.Equal(t, apperr.BadUserInput, apperr.From(err).Code, "%q", reference)
			require.Equal(t, "reference", apperr.From(err).Field)
		}
	})
}

func TestFindTaskByReference_TooManyTitles_OnlyNumbersAreCertain(t *testing.T) {
	forEachEngine(t, func(t *testing.T, ctx context.Context, e *environment) {
		for i := range 4 {
			e.create(t, ctx, fmt.Sprint("Chapter ", i+11))
		}
		for _, c := range []struct {
			reference string
			titles    int
			certain   int
		}{
			{"chapter 14", 4, 4}, {"chapter 14", 3, 0}, {"chapter 11", 4, 1}, {"chapter 11", 3, 0}, {"1", 3, 1},
		} {
			m, err := e.FindTaskAmong(ctx, c.reference, task.Scope{}, c.titles)
			require.NoError(t, err)
			require.Equal(t, c.certain > 0, m.Certain != nil, "%+v", c)
			if m.Certain != nil {
				require.Equal(t, c.certain, m.Certain.Number, "%+v", c)
			} else {
				require.NotEmpty(t, m.Candidates, "%+v", c)
			}
		}
	})
}
