package tool

import (
	"fmt"
	"strings"

	"errand/ent/enum"
	"errand/internal/truncate"
)

// kindVerbs are the verbs of the kinds, in the order in which ListChanges lists them.
var kindVerbs = []struct {
	kind enum.ChangeKind
	verb string
}{
	{enum.ChangeDeleted, "Delete"},
	{enum.ChangeCompleted, "Complete"},
	{enum.ChangeReopened, "Reopen"},
	{enum.ChangeRestored, "Restore"},
	{enum.ChangeUpdated, "Change"},
}

// maxNamedTasks is how many tasks ListChanges names of each kind.
const maxNamedTasks = 20

// ListChanges lists proposed changes by kind, one line for each kind.
func ListChanges(proposal []enum.ProposedChange) string {
	var lines []string
	for _, k := range kindVerbs {
		var names []string
		seen := map[string]bool{}
		for _, c := range proposal {
			if c.Kind == k.kind && !seen[c.TaskID] {
				seen[c.TaskID] = true
				names = append(names, fmt.Sprintf("#%d “%s”", c.Number, plainTitle(c.Title)))
			}
		}
		if len(names) == 0 {
			continue
		}
		tasks := fmt.Sprintf("%d tasks", len(names))
		if len(names) == 1 {
			tasks = "1 task"
		}
		if more := len(names) - maxNamedTasks; more > 0 {
			names = append(names[:maxNamedTasks], fmt.Sprintf("and %d more", more))
		}
		lines = append(lines, fmt.Sprintf("- %s %s: %s", k.verb, tasks, strings.Join(names, ", ")))
	}
	return strings.Join(lines, "\n")
}

// plainTitle returns a title without characters that Markdown or HTML could read as an image, a link or a tag.
var plainTitle = func() func(string) string {
	replace := strings.NewReplacer("[", "(", "]", ")", "<", "‹", ">", "›", "`", "'", "\\", "/")
	return func(title string) string { return replace.Replace(truncate.Ellipsis(title, 80)) }
}()
