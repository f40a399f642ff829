package tool

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"errand/ent/enum"
	"errand/internal/task"
)

// Naming holds the tasks that the user's own words name. A word names a task only by one of these rules:
//
//   - a number after a word for a task, "#" or a verb of change, or a number that chooses among those of a question,
//   - all words of the title that count in references, close together,
//   - the object of a verb of deletion, if task.FindTaskByReference is certain which task it means,
//   - the same in a question that the user confirms.
//
// Numbers of other kinds, URLs, exceptions ("all but task 3") and negations ("keep the report") name nothing.
type Naming struct {
	numbers map[int]bool
	wording task.Wording
	// objects are what follows the verbs of deletion; ids are the tasks that they mean with certainty.
	objects []string
	ids     map[string]bool
}

const (
	// maxNamedRange bounds "tasks 3 to 40".
	maxNamedRange = 100
	// maxObjects and maxObjectChars bound what Resolve looks for.
	maxObjects, maxObjectChars = 8, 200
)

const (
	// changeVerbs are the verbs after which a number is that of a task.
	changeVerbs = deletionVerbs + `|complete|finish|close|check off|tick off|mark|reopen|open|undo|update|change|edit|` +
		`rename|move|postpone|reschedule|push|shift|delay|snooze|prioriti[sz]e|label|tag|erledige|schließe|ändere|` +
		`verschiebe|termine|complète|modifie|completa|termina|cambia|conclui`
	// deletionVerbs are the verbs of deletion in the languages that the server knows best.
	deletionVerbs = `delete|remove|erase|trash|bin|drop|discard|scrap|cancel|get rid of|throw away|clear|kill|` +
		`lösch(?:e|en)?|entfern(?:e|en)?|streich(?:e|en)?|supprimer?|supprimez|efface[rz]?|enlève|retire|borra(?:r)?|` +
		`elimina(?:r|re)?|quita|cancella|rimuovi|apaga(?:r)?|exclui(?:r)?|remove(?:r)?|verwijder|usuń|удали(?:ть)?|削除|删除|刪除`
	// taskWords are words for a task, before its number.
	taskWords = `tasks?|to-?dos?|items?|numbers?|nos?\.?|nr\.?|aufgaben?|nummern?|tâches?|tareas?|tarefas?|attività|` +
		`taken|taak|zadania|zadanie|задач[аиуе]?|タスク|任务|任務`
	// rangeWords join the ends of a range.
	rangeWords = `-|–|to|through|until|bis|à|a`
	listWords  = `,|;|and|or|&|\+|und|oder|et|ou|y|e|o|then`
	// articles begin the object of a verb in the languages other than English, whose articles references ignore.
	articles = `der|die|das|den|dem|ein|eine|einen|le|la|les|un|une|el|los|las|una|il|lo|gli|i|os|as|o|a|um|uma|de|het|een`
)

// match compiles a pattern over folded text, with a boundary before it.
func match(pattern string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{N}])` + task.FoldLetters(pattern))
}

var (
	urlPattern = regexp.MustCompile(`(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+`)
	// numberListPattern matches the numbers after a task word, "#" or a change verb.
	numberListPattern = match(
		`(?:(?:(?:` + changeVerbs + `)\s+(?:the\s+|die\s+|la\s+)?|(?:` + taskWords + `)\s*|#)` +
			`(?:` + taskWords + `)?\s*)` +
			`#?(\d{1,9}(?:\s*(?:` + rangeWords + `|(?:` + listWords + `)\s*(?:` + listWords + `)?)` +
			`\s*(?:(?:` + taskWords + `)\s*)?#?\d{1,9})*)`)
	numberPattern = regexp.MustCompile(task.FoldLetters(
		`(?i)(\d+)(?:\s*(?:` + rangeWords + `)\s*(?:(?:` + taskWords + `)\s*)?#?(\d+))?`))
	// countPattern matches words that make the number before them a count or a time, as in "delete 3 old tasks".
	countPattern = regexp.MustCompile(
		`(?i)^\s*(?:tasks|items|todos|things|of|old|oldest|new|newest|more|other|duplicates?|times|people|` +
			`o.?clock|uhr|days?|weeks?|months?|hours?|minutes?|min|am|pm|h|%|:\d|\.\d|/\d)`,
	)
	deletionPattern = match(`(?:` + deletionVerbs + `)([^.!?\n]*)`)
	listPattern     = regexp.MustCompile(task.FoldLetters(`(?i)\s*[,;&+]\s*|\s+(?:and|or|und|oder|et|ou|y|then)\s+`))
	articlePattern  = regexp.MustCompile(`(?i)^(?:` + articles + `)\s+`)
	bareNumbers     = regexp.MustCompile(`^[\s#,;.&\d-]*(?:(?:and|or|und|et|y|e)[\s#,;.&\d-]*)*$`)
	sentencePattern = regexp.MustCompile(`[!?;\n]+|\.+(?:\s|$)`)
	// exceptionPattern matches words after which the rest of a sentence names what is not meant.
	exceptionPattern = match(
		`(?:except|excluding|besides|but|other than|rather than|instead of|außer|ausgenommen|bis auf|` +
			`sauf|excepté|excepto|salvo|menos|tranne|eccetto|exceto|behalve|кроме)(?:$|[^\p{L}\p{N}])`,
	)
	// negationPattern matches words in whose clause nothing is named that is meant.
	negationPattern = match(
		`(?:not|never|\p{L}+n'?t|keep|keeping|without|leave|nicht|kein(?:e[rmns]?)?|behalte|behalten|` +
			`pas|jamais|garde[rz]?|no (?:borr|elimin|quit|apag)\p{L}*|conserva|mantén|non|não|niet|geen|bewaar|не)` +
			`(?:$|[^\p{L}\p{N}])`,
	)
)

// NewNaming parses the user's message. question is the text that the message answers, or "": a confirmed question names
// what the message confirms, and bare numbers choose among the numbers in it.
func NewNaming(message, question string) *Naming {
	n := readNaming(message)
	if question == "" {
		return n
	}
	asked := readNaming(question)
	if yes, ok := ReadYesNo(message); ok && yes {
		return asked
	}
	if message = task.FoldLetters(message); bareNumbers.MatchString(message) {
		for _, text := range numberPattern.FindAllString(message, -1) {
			if number, err := strconv.Atoi(text); err == nil && asked.numbers[number] {
				n.numbers[number] = true
			}
		}
	}
	return n
}

// withoutExclusions removes what a message excludes: the rest of a sentence after an exception, and a sentence from the
// clause of a negation on.
func withoutExclusions(text string) string {
	var kept strings.Builder
	for _, sentence := range sentencePattern.Split(text, -1) {
		if at := exceptionPattern.FindStringIndex(sentence); at != nil {
			sentence = sentence[:at[0]]
		}
		if at := negationPattern.FindStringIndex(sentence); at != nil {
			sentence = sentence[:max(0, strings.LastIndexAny(sentence[:at[0]], ",:"))]
		}
		kept.WriteString(sentence + "\n")
	}
	return kept.String()
}

func readNaming(text string) *Naming {
	text = withoutExclusions(urlPattern.ReplaceAllString(task.FoldLetters(text), " "))
	n := &Naming{numbers: map[int]bool{}, ids: map[string]bool{}, wording: task.NewWording(text)}
	for _, at := range numberListPattern.FindAllStringSubmatchIndex(text, -1) {
		list, rest := text[at[2]:at[3]], text[at[3]:]
		if r, _ := utf8.DecodeRuneInString(rest); unicode.IsLetter(r) || countPattern.MatchString(rest) {
			continue
		}
		for _, m := range numberPattern.FindAllStringSubmatch(list, -1) {
			n.addRange(m[1], m[2])
		}
	}
	for _, m := range deletionPattern.FindAllStringSubmatch(text, -1) {
		object := strings.TrimSpace(m[1])
		n.objects = append(n.objects, object)
		if parts := listPattern.Split(object, -1); len(parts) > 1 {
			n.objects = append(n.objects, parts...)
		}
	}
	return n
}

func (n *Naming) addRange(first, last string) {
	from, _ := strconv.Atoi(first)
	to, err := strconv.Atoi(last)
	if err != nil || to < from || to-from > maxNamedRange {
		n.numbers[from] = true
		if err == nil {
			n.numbers[to] = true
		}
		return
	}
	for i := from; i <= to; i++ {
		n.numbers[i] = true
	}
}

// Resolve finds the tasks that the objects of verbs of deletion mean with certainty. It must be called before the
// deletions: it does not look into the trash.
func (n *Naming) Resolve(ctx context.Context, tasks Tasks) error {
	for _, object := range n.objects[:min(len(n.objects), maxObjects)] {
		match, err := findNamed(ctx, tasks, object)
		if without := articlePattern.ReplaceAllString(
			object,
			"",
		); err == nil && match.Certain == nil && len(match.Candidates) == 0 &&
			without != object {
			match, err = findNamed(ctx, tasks, without)
		}
		if err != nil {
			return err
		}
		if match.Certain != nil {
			n.ids[match.Certain.ID] = true
		}
	}
	return nil
}

// findNamed returns the tasks that words name, none for words that can be no reference or without a letter: numbers are
// read elsewhere.
func findNamed(ctx context.Context, tasks Tasks, text string) (*task.Match, error) {
	if !strings.ContainsFunc(text, unicode.IsLetter) || utf8.RuneCountInString(text) > maxObjectChars {
		return &task.Match{}, nil
	}
	match, err := tasks.FindTaskByReference(ctx, text, task.Scope{})
	if err := ignoreCallerFault(err); err != nil || match == nil {
		return &task.Match{}, err
	}
	return match, nil
}

// Names reports whether the user's words name the task of a change.
func (n *Naming) Names(c enum.ProposedChange) bool {
	return n.numbers[c.Number] || n.ids[c.TaskID] || n.wording.Holds(c.Title)
}
