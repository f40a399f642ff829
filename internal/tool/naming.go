package tool

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Naming holds the tasks that a user's message names: by number, or by words of the title.
type Naming struct {
	numbers map[int]bool
	// words are all words of the message; objects those that follow a verb of deletion.
	words, objects map[string]bool
}

// maxNamedRange bounds "tasks 3 to 40".
const maxNamedRange = 100

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
)

var (
	urlPattern = regexp.MustCompile(`(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S+`)
	// numberListPattern matches the numbers after a task word, "#" or a change verb.
	numberListPattern = regexp.MustCompile(`(?i)(?:(?:^|[^\p{L}\p{N}])` +
		`(?:(?:` + changeVerbs + `)\s+(?:the\s+|die\s+|la\s+)?|(?:` + taskWords + `)\s*|#)` +
		`(?:` + taskWords + `)?\s*)` +
		`#?(\d{1,9}(?:\s*(?:` + rangeWords + `|(?:` + listWords + `)\s*(?:` + listWords + `)?)` +
		`\s*(?:(?:` + taskWords + `)\s*)?#?\d{1,9})*)`)
	numberPattern = regexp.MustCompile(`(?i)(\d+)(?:\s*(?:` + rangeWords + `)\s*(?:(?:` + taskWords + `)\s*)?#?(\d+))?`)
	// countPattern matches words that make the number before them a count, as in "delete 3 old tasks".
	countPattern = regexp.MustCompile(
		`(?i)^\s*(?:tasks|items|todos|things|of|old|oldest|new|newest|more|other|duplicates?|` +
			`days?|weeks?|months?|hours?|minutes?|am|pm|h|%|:\d|\.\d|/\d)`,
	)
	deletionPattern = regexp.MustCompile(`(?i)(?:^|[^\p{L}\p{N}])(?:` + deletionVerbs + `)([^.!?\n]*)`)
	bareNumbers     = regexp.MustCompile(`^[\s#,;.&\d-]*(?:(?:and|or|und|et|y|e)[\s#,;.&\d-]*)*$`)
)

// NewNaming parses the user's message. question is the text that the message answers, or "": a confirmed question names
// what the message confirms, and bare numbers choose among the numbers in it.
func NewNaming(message, question string) Naming {
	n := Naming{numbers: map[int]bool{}, words: map[string]bool{}, objects: map[string]bool{}}
	n.read(message)
	if question == "" {
		return n
	}
	asked := Naming{numbers: map[int]bool{}, words: map[string]bool{}, objects: map[string]bool{}}
	asked.read(question)
	if yes, ok := ReadYesNo(message); ok && yes {
		return asked
	}
	if bareNumbers.MatchString(message) {
		for _, text := range numberPattern.FindAllString(message, -1) {
			if number, err := strconv.Atoi(text); err == nil && asked.numbers[number] {
				n.numbers[number] = true
			}
		}
	}
	return n
}

func (n Naming) read(text string) {
	text = urlPattern.ReplaceAllString(text, " ")
	for _, at := range numberListPattern.FindAllStringSubmatchIndex(text, -1) {
		list, rest := text[at[2]:at[3]], text[at[3]:]
		if r, _ := utf8.DecodeRuneInString(rest); unicode.IsLetter(r) || countPattern.MatchString(rest) {
			continue
		}
		for _, m := range numberPattern.FindAllStringSubmatch(list, -1) {
			n.addRange(m[1], m[2])
		}
	}
	for _, w := range contentWords(text) {
		n.words[w] = true
	}
	for _, m := range deletionPattern.FindAllStringSubmatch(text, -1) {
		for _, w := range contentWords(m[1]) {
			n.objects[w] = true
		}
	}
}

func (n Naming) addRange(first, last string) {
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

// Names reports whether the message names the task: its number, every word of its title, or a word of its title as the
// object of a verb of deletion.
func (n Naming) Names(number int, title string) bool {
	if n.numbers[number] {
		return true
	}
	words := contentWords(title)
	all := len(words) > 0
	for _, w := range words {
		if n.objects[w] {
			return true
		}
		all = all && n.words[w]
	}
	return all
}

// ignoredWords carry no meaning in a title.
var ignoredWords = map[string]bool{}

func init() {
	for w := range strings.FieldsSeq(`
		a an the my your our this that these those it and or of to for from in on at by with task tasks todo item
		items thing things one all please every everything der die das den dem ein eine einen mein meine und oder
		von zu für mit aufgabe aufgaben le la les un une des de du mon ma mes et ou tâche el los las una mi y o
		tarea il lo gli i uno e attività os as um uma meu minha tarefa
	`) {
		ignoredWords[w] = true
	}
}

// contentWords returns the words of a text in lower case, without those that carry no meaning. Numbers are words too,
// unless a text consists of nothing else.
func contentWords(text string) []string {
	var out []string
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		if !ignoredWords[w] && !isNumber(w) {
			out = append(out, w)
		}
	}
	return out
}

func isNumber(w string) bool {
	return strings.IndexFunc(w, func(r rune) bool { return !unicode.IsNumber(r) }) < 0
}
