// Package claims finds English sentences of a reply that claim a change without a tool result. Sentences it
// cannot parse are accepted.
package claims

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Unbacked returns the sentences of a reply that claim changes the record does not show, verbatim.
func Unbacked(text string, r Record) []string {
	masked := r.mask(plain(text))
	var doubted []string
	for _, sentence := range sentences(masked) {
		if slices.ContainsFunc(read(sentence, r), func(c claim) bool { return !r.backs(c) }) {
			doubted = append(doubted, r.unmask(sentence))
		}
	}
	return doubted
}

// Retracts reports whether a correction retracts a claim.
func Retracts(text string) bool { return retraction.MatchString(plain(text)) }

var retraction = regexp.MustCompile(
	`(?i)\b(?:not|nothing|never|none|sorry|apolog\w*|mistake|mistaken|incorrect|wrong|correction)\b|n't\b`,
)

// claim is a claimed change.
type claim struct {
	kind    Kind // "" for anything at all
	numbers []int
	titles  []string
	count   int // how many tasks, 0 when it is not said
}

var spellings = strings.NewReplacer(
	"’",
	"'",
	"‘",
	"'",
	"“",
	`"`,
	"”",
	`"`,
	"„",
	`"`,
	"«",
	`"`,
	"»",
	`"`,
	"**",
	`"`,
	"__",
	`"`,
	"`",
	`"`,
)

// plain brings apostrophes, quotes and emphasis to one form each.
func plain(text string) string { return spellings.Replace(text) }

var ends = regexp.MustCompile(`\n+|[.!?;]+["')]*(?:\s+|$)`)

// sentences cuts a text, each with its closing sign.
func sentences(text string) []string {
	var all []string
	from := 0
	for _, end := range ends.FindAllStringIndex(text, -1) {
		all = append(all, strings.TrimSpace(text[from:end[1]]))
		from = end[1]
	}
	return append(all, strings.TrimSpace(text[from:]))
}

const (
	verbs = `added|created|deleted|removed|erased|trashed|completed|finished|checked off|ticked off|crossed off|` +
		`closed|marked|reopened|restored|` +
		`updated|changed|renamed|moved|rescheduled|postponed|set|edited|adjusted|labell?ed|tagged|prioriti[sz]ed|cleared`
	adverbs = `(?: (?:now|just|also|then|successfully|gone ahead and|went ahead and))*`
)

var (
	verb = regexp.MustCompile(`(?i)\b(?:` + verbs + `)\b`)
	// active is "I've just added", and so on.
	active = regexp.MustCompile(`(?i)\b(?:i|we)(?:'ve| have)?` + adverbs + ` (` + verbs + `)\b`)
	// headed is a sentence that begins with what was done.
	headed = regexp.MustCompile(
		`(?i)^(?:[^\pL\d"⟦]|(?:ok|okay|sure|great|alright|perfect|yes|all set|got it|done)\b)*(` + verbs + `)\b`,
	)
	// heading is a title over a list, such as "Completed tasks (2):".
	heading = regexp.MustCompile(`(?i)^\W*(?:` + verbs + `)(?: tasks?| items?| list| ones?)?(?: \(\d+\))?\s*:?\W*$`)
	// passive is "has been deleted" or "are now completed".
	passive = regexp.MustCompile(
		`(?i)\b(?:(?:has|have)` + adverbs + ` been` + adverbs + `|(?:is|are) now) (` + verbs + `)\b`,
	)
	// bare is "Done." alone or before more.
	bare = regexp.MustCompile(`(?i)^\W*(?:(?:all )?done|all set|it's done|that's done)\b(?:[\s.!✅👍]*$|\s*[:,–—-])`)
	// ordered is a message that asks for something to be done.
	ordered = regexp.MustCompile(
		`(?i)\b(?:add|create|new task|remind|delete|remove|complete|finish|mark|check off|tick off|close|reopen|` +
			`update|change|rename|move|reschedule|postpone|set|clear)\b`,
	)
	// denied before the verb takes the claim away.
	denied = regexp.MustCompile(
		`(?i)\b(?:no|not|none|never|nothing|unable|failed|if|once|unless|until|when|could|would|should|will|shall|can|` +
			`you)\b|n't\b`,
	)
	// past reports that it was done in another turn.
	past = regexp.MustCompile(`(?i)\b(?:already|earlier|previously|yesterday|last (?:time|week|month|turn)|ago|before)\b`)
)

// read finds the claims of a sentence.
func read(sentence string, r Record) []claim {
	if sentence == "" || strings.HasSuffix(sentence, "?") || heading.MatchString(sentence) {
		return nil
	}
	at := -1
	for _, form := range []*regexp.Regexp{headed, active, passive} {
		if m := form.FindStringSubmatchIndex(sentence); m != nil && (at < 0 || m[2] < at) {
			at = m[2]
		}
	}
	if at < 0 {
		if bare.MatchString(sentence) && ordered.MatchString(r.UserMessage) {
			return []claim{{}}
		}
		return nil
	}
	if denied.MatchString(sentence[:at]) || past.MatchString(sentence) {
		return nil
	}
	return clauses(sentence, at)
}

var (
	// suffered stands before a verb whose object stands before it.
	suffered = regexp.MustCompile(`(?i)\b(?:been|is now|are now)` + adverbs + ` $`)
	joint    = regexp.MustCompile(`(?i),(?: and)? [^\d#]| and [^\d#]`)
)

// clauses reads one claim for each verb from the first on: "added task 5 and deleted task 2".
func clauses(sentence string, from int) []claim {
	var claims []claim
	found := verb.FindAllStringIndex(sentence[from:], -1)
	before := sentence[:from]
	for i, at := range found {
		end := len(sentence)
		if i+1 < len(found) {
			end = from + found[i+1][0]
		}
		word, after := strings.ToLower(sentence[from+at[0]:from+at[1]]), sentence[from+at[1]:end]
		next := after
		if joints := joint.FindAllStringIndex(after, -1); len(joints) > 0 && suffered.MatchString(after) {
			last := joints[len(joints)-1][0]
			after, next = after[:last], after[last:]
		}
		c := claim{kind: classify(word, after)}
		if suffered.MatchString(before) {
			c.objects(before)
		} else {
			c.objects(after)
		}
		claims = append(claims, c)
		before = next
	}
	return claims
}

var (
	done     = regexp.MustCompile(`(?i)\b(?:done|completed?|finished)\b`)
	undone   = regexp.MustCompile(`(?i)\b(?:not done|undone|open|pending|incomplete|to do)\b`)
	property = regexp.MustCompile(
		`(?i)^\s*(?:an?|the|its|their|your|new|some)?\s*(?:new )?(?:due|deadline|date|time|label|tag|note|description|` +
			`detail|priority|reminder)`,
	)
	whole = regexp.MustCompile(`(?i)\b(?:list|tasks?|everything|all)\b`)
)

func classify(word, rest string) Kind {
	switch word {
	case "added", "created":
		if property.MatchString(rest) {
			return Update
		}
		return Add
	case "deleted", "removed", "erased", "trashed":
		if property.MatchString(rest) {
			return Update
		}
		return Delete
	case "cleared":
		if !property.MatchString(rest) && whole.MatchString(rest) {
			return Delete
		}
		return Update
	case "completed", "finished", "checked off", "ticked off", "crossed off", "closed":
		return Complete
	case "reopened", "restored":
		return Reopen
	case "marked", "set", "changed", "moved":
		switch {
		case undone.MatchString(rest):
			return Reopen
		case done.MatchString(rest):
			return Complete
		}
	}
	return Update
}

const amount = `\d+|two|three|four|five|six|seven|eight|nine|ten`

var (
	numbered = regexp.MustCompile(
		`(?i)\btasks? (?:(?:no\.?|number|numbers) )?(#?\d+(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+|\s*&\s*)#?\d+)*)|#(\d+)`,
	)
	digits  = regexp.MustCompile(`\d+`)
	quoted  = regexp.MustCompile(`"([^"]+)"|⟦(\d+)⟧`)
	counted = regexp.MustCompile(
		`(?i)\b(` + amount + `)(?: (?:new|of the|of your|other|more|completed|pending))* (?:tasks|items|to-?dos|` +
			`of them)\b|\ball (` + amount + `)\b`,
	)
	words = []string{"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
)

// objects reads what a claim is about.
func (c *claim) objects(s string) {
	if m := numbered.FindStringSubmatch(s); m != nil { // "task 5 after task 3" is about 5
		for _, d := range digits.FindAllString(m[1]+m[2], -1) {
			if n, err := strconv.Atoi(d); err == nil {
				c.numbers = append(c.numbers, n)
			}
		}
	}
	for _, m := range quoted.FindAllStringSubmatch(s, -1) {
		c.titles = append(c.titles, m[0])
	}
	if m := counted.FindStringSubmatch(s); m != nil {
		said := strings.ToLower(m[1] + m[2])
		if n, err := strconv.Atoi(said); err == nil {
			c.count = n
		} else {
			c.count = slices.Index(words, said) + 2
		}
	}
}
