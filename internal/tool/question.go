package tool

import (
	"fmt"
	"strings"

	"errand/ent/enum"
	"errand/internal/phrase"
	"errand/internal/truncate"
)

// phrasedKind is a kind of change with the phrase that names it.
type phrasedKind struct {
	kind   enum.ChangeKind
	phrase phrase.Key
}

// proposedKinds are the phrases of the kinds of changes, in the order in which ListChanges lists them.
var proposedKinds = []phrasedKind{
	{enum.ChangeDeleted, phrase.ProposeDeleted},
	{enum.ChangeCompleted, phrase.ProposeCompleted},
	{enum.ChangeReopened, phrase.ProposeReopened},
	{enum.ChangeRestored, phrase.ProposeRestored},
	{enum.ChangeUpdated, phrase.ProposeUpdated},
}

// maxNamedTasks is how many tasks ListChanges names of each kind.
const maxNamedTasks = 20

// doneKinds are the phrases of the kinds of changes, in the order in which Receipt names them.
var doneKinds = []phrasedKind{
	{enum.ChangeCreated, phrase.ReceiptCreated},
	{enum.ChangeDeleted, phrase.ReceiptDeleted},
	{enum.ChangeCompleted, phrase.ReceiptCompleted},
	{enum.ChangeReopened, phrase.ReceiptReopened},
	{enum.ChangeRestored, phrase.ReceiptRestored},
	{enum.ChangeUpdated, phrase.ReceiptUpdated},
}

// Receipt returns one line about changes that were made, "" if there are none.
func Receipt(l *phrase.Language, changes []enum.ProposedChange) string {
	parts := phrasesOf(l, doneKinds, changes)
	if len(parts) == 0 {
		return ""
	}
	return l.Text(phrase.Receipt, phrase.Values{Changes: strings.Join(parts, "; ")})
}

// ListChanges lists proposed changes by kind, one line for each kind, and then the failed
// items.
func ListChanges(l *phrase.Language, proposal []enum.ProposedChange, skipped []Skipped) string {
	var lines []string
	for _, p := range phrasesOf(l, proposedKinds, proposal) {
		lines = append(lines, "- "+p)
	}
	for _, s := range skipped {
		if s.Failed() {
			lines = append(lines, "- "+s.text(l))
		}
	}
	return strings.Join(lines, "\n")
}

// phrasesOf returns one phrase for each kind of change, which names its tasks.
func phrasesOf(l *phrase.Language, kinds []phrasedKind, changes []enum.ProposedChange) (phrases []string) {
	for _, k := range kinds {
		var names []string
		seen := map[string]bool{}
		for _, c := range changes {
			if c.Kind == k.kind && !seen[c.TaskID] {
				seen[c.TaskID] = true
				names = append(names, nameTask(c.Number, c.Title))
			}
		}
		if len(names) == 0 {
			continue
		}
		count := len(names)
		if more := count - maxNamedTasks; more > 0 {
			names = append(names[:maxNamedTasks], l.Text(phrase.AndMore, phrase.Values{Count: more}))
		}
		phrases = append(phrases, l.Text(k.phrase, phrase.Values{Count: count, Tasks: strings.Join(names, ", ")}))
	}
	return phrases
}

func nameTask(number int, title string) string {
	return fmt.Sprintf("#%d “%s”", number, plainTitle(title))
}

// plainTitle returns a title without characters that Markdown or HTML could read as an image, a link or a tag.
var plainTitle = func() func(string) string {
	replace := strings.NewReplacer("[", "(", "]", ")", "<", "‹", ">", "›", "`", "'", "\\", "/")
	return func(title string) string { return replace.Replace(truncate.Ellipsis(title, 80)) }
}()
