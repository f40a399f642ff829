package tasktext_test

import (
	"strings"
	"testing"
	"time"

	"errand/internal/due"
	"errand/internal/tasktext"

	"github.com/stretchr/testify/require"
)

// now is a Wednesday.
var now = due.At(time.Date(2026, 11, 25, 11, 35, 0, 0, time.UTC), time.Monday)

// TestParse_Dates_AreCertainOrNamed lists texts with their due date, and texts whose date-like words stay in the title.
func TestParse_Dates_AreCertainOrNamed(t *testing.T) {
	for message, want := range map[string]string{ // the day, or the uncertain parts in brackets
		"buy milk":                               "",
		"buy 5 apples":                           "",
		"call ann tomorrow":                      "2026-11-26",
		"call ann on 2027-01-15":                 "2027-01-15",
		"ask if I may leave tomorrow":            "2026-11-26",
		"weekly report tomorrow":                 "2026-11-26",
		"dinner \"next friday\" tomorrow":        "2026-11-26",
		"tomorrow #home at 5":                    "2026-11-26",
		"call friday next week":                  "2026-12-04",
		"call ann tomorrow or friday":            "[tomorrow][or friday]",
		"tomorrow call ann in the morning":       "[tomorrow][in the morning]",
		"water plants every monday at 9am":       "[every monday at 9am]",
		"meeting last friday":                    "[last friday]",
		"call after friday":                      "[after friday]",
		"party early next week":                  "[early next week]",
		"from monday to friday rest":             "[from monday][friday]",
		"due friday the 13th":                    "[friday][13th]",
		"a week from friday call":                "2026-12-04",
		"30 february party":                      "[30 february]",
		"report due 2026-13-01":                  "[2026-13-01]",
		"finish it by 5/6":                       "[5/6]",
		"book friday table":                      "[friday]",
		"pay in may":                             "[may]",
		"call 20:00 or 21:00":                    "[20:00][or 21:00]",
		"call ann 3 days ago tomorrow":           "[3 days ago tomorrow]",
		"call ann not today":                     "[not today]",
		strings.Repeat("tomorrow ", 400):         "",
		"#" + strings.Repeat("x", 51) + " today": "2026-11-25",
	} {
		got := tasktext.Parse(message, now)
		due, parts := "", ""
		if d := got.Due; d != nil {
			due = d.On()
		}
		for _, s := range got.Spans {
			if s.Kind == tasktext.UncertainSpan {
				parts += "[" + s.Text + "]"
				require.Contains(t, strings.ToLower(got.Title), s.Text, message)
			}
		}
		require.Equal(t, want, due+parts, message)
	}
}

// TestParse_AnyText_SpansArePartsOfIt parses pieces in all orders of three and compares each span with the text.
func TestParse_AnyText_SpansArePartsOfIt(t *testing.T) {
	pieces := []string{
		"",
		"🦊",
		"#a",
		"!!",
		"tomorrow",
		"at 5pm",
		"(",
		"\"q\"",
		"or",
		"\r\n",
		"\u00a0",
		"30 february",
		"note: n",
		"urgent",
	}
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				message := a + " " + b + " " + c
				end := 0
				for _, s := range tasktext.Parse(message, now).Spans {
					require.LessOrEqual(t, end, s.Start, message)
					require.Less(t, s.Start, s.End, message)
					end = s.End
				}
			}
		}
	}
}

func TestParse_DateInBrackets_LeavesNoBracket(t *testing.T) {
	for message, want := range map[string]string{
		"call ann (tomorrow)": "Call ann", "call ann (tomorrow, urgent)": "Call ann", "call (ann) tomorrow": "Call (ann)",
	} {
		got := tasktext.Parse(message, now)
		require.Equal(t, want, got.Title, message)
		require.Equal(t, "2026-11-26", got.Due.On(), message)
	}
}
