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
	masked := r.maskTitles(normalizeQuotes(text))
	var unbacked []string
	for _, sentence := range splitSentences(masked) {
		if slices.ContainsFunc(parseClaims(sentence, r), func(c claim) bool { return !r.supports(c) }) {
			unbacked = append(unbacked, r.unmaskTitles(sentence))
		}
	}
	return unbacked
}

// Retracts reports whether a correction retracts a claim.
func Retracts(text string) bool { return retraction.MatchString(normalizeQuotes(text)) }

var retraction = regexp.MustCompile(
	`(?i)\b(?:not|nothing|never|none|sorry|apolog\w*|mistake|mistaken|incorrect|wrong|correction)\b|n't\b`,
)

// claim is a claimed change.
type claim struct {
	kind    Kind // "" for any change
	numbers []int
	titles  []string
	count   int // stated number of tasks, 0 without one
}

var quoteReplacer = strings.NewReplacer(
	"’", "'",
	"‘", "'",
	"“", `"`,
	"”", `"`,
	"„", `"`,
	"«", `"`,
	"»", `"`,
	"**", `"`,
	"__", `"`,
	"`", `"`,
)

// normalizeQuotes replaces the variants of apostrophes, and those of quotes and emphasis, by one form each.
func normalizeQuotes(text string) string { return quoteReplacer.Replace(text) }

var sentenceEnd = regexp.MustCompile(`\n+|[.!?;]+["')]*(?:\s+|$)`)

// splitSentences splits a text into sentences, each with its closing punctuation.
func splitSentences(text string) []string {
	var all []string
	from := 0
	for _, end := range sentenceEnd.FindAllStringIndex(text, -1) {
		all = append(all, strings.TrimSpace(text[from:end[1]]))
		from = end[1]
	}
	return append(all, strings.TrimSpace(text[from:]))
}

const (
	changeVerbs = `added|created|deleted|removed|erased|trashed|completed|finished|checked off|ticked off|crossed off|` +
		`closed|marked|reopened|restored|` +
		`updated|changed|renamed|moved|rescheduled|postponed|set|edited|adjusted|labell?ed|tagged|prioriti[sz]ed|cleared`
	adverbs = `(?: (?:now|just|also|then|successfully|gone ahead and|went ahead and))*`
)

var (
	changeVerb = regexp.MustCompile(`(?i)\b(?:` + changeVerbs + `)\b`)
	// activeVoice matches "I've just added", and so on.
	activeVoice = regexp.MustCompile(`(?i)\b(?:i|we)(?:'ve| have)?` + adverbs + ` (` + changeVerbs + `)\b`)
	// leadingVerb matches a sentence that begins with the verb: "Added task 5".
	leadingVerb = regexp.MustCompile(
		`(?i)^(?:[^\pL\d"⟦]|(?:ok|okay|sure|great|alright|perfect|yes|all set|got it|done)\b)*(` + changeVerbs + `)\b`,
	)
	// listHeading matches a title above a list, such as "Completed tasks (2):".
	listHeading = regexp.MustCompile(
		`(?i)^\W*(?:` + changeVerbs + `)(?: tasks?| items?| list| ones?)?(?: \(\d+\))?\s*:?\W*$`,
	)
	// passiveVoice matches "has been deleted" or "are now completed".
	passiveVoice = regexp.MustCompile(
		`(?i)\b(?:(?:has|have)` + adverbs + ` been` + adverbs + `|(?:is|are) now) (` + changeVerbs + `)\b`,
	)
	// bareDone matches "Done.", alone or at the beginning of a sentence.
	bareDone = regexp.MustCompile(`(?i)^\W*(?:(?:all )?done|all set|it's done|that's done)\b(?:[\s.!✅👍]*$|\s*[:,–—-])`)
	// changeRequest matches a user message that requests a change.
	changeRequest = regexp.MustCompile(
		`(?i)\b(?:add|create|new task|remind|delete|remove|complete|finish|mark|check off|tick off|close|reopen|` +
			`update|change|rename|move|reschedule|postpone|set|clear)\b`,
	)
	// negation before the verb means that the sentence makes no claim.
	negation = regexp.MustCompile(
		`(?i)\b(?:no|not|none|never|nothing|unable|failed|if|once|unless|until|when|could|would|should|will|shall|can|` +
			`you)\b|n't\b`,
	)
	// earlierTurn matches words that place the change in an earlier turn.
	earlierTurn = regexp.MustCompile(
		`(?i)\b(?:already|earlier|previously|yesterday|last (?:time|week|month|turn)|ago|before)\b`,
	)
)

// parseClaims returns the changes that a sentence claims.
func parseClaims(sentence string, r Record) []claim {
	if sentence == "" || strings.HasSuffix(sentence, "?") || listHeading.MatchString(sentence) {
		return nil
	}
	at := -1
	for _, form := range []*regexp.Regexp{leadingVerb, activeVoice, passiveVoice} {
		if m := form.FindStringSubmatchIndex(sentence); m != nil && (at < 0 || m[2] < at) {
			at = m[2]
		}
	}
	if at < 0 {
		if bareDone.MatchString(sentence) && changeRequest.MatchString(r.UserMessage) {
			return []claim{{}}
		}
		return nil
	}
	if negation.MatchString(sentence[:at]) || earlierTurn.MatchString(sentence) {
		return nil
	}
	return parseClauses(sentence, at)
}

var (
	// passiveAuxiliary matches the words before a verb whose object precedes it.
	passiveAuxiliary = regexp.MustCompile(`(?i)\b(?:been|is now|are now)` + adverbs + ` $`)
	clauseBoundary   = regexp.MustCompile(`(?i),(?: and)? [^\d#]| and [^\d#]`)
)

// parseClauses returns one claim for each verb from the first on: "added task 5 and deleted task 2".
func parseClauses(sentence string, from int) []claim {
	var claims []claim
	found := changeVerb.FindAllStringIndex(sentence[from:], -1)
	before := sentence[:from]
	for i, at := range found {
		end := len(sentence)
		if i+1 < len(found) {
			end = from + found[i+1][0]
		}
		word, after := strings.ToLower(sentence[from+at[0]:from+at[1]]), sentence[from+at[1]:end]
		next := after
		if boundaries := clauseBoundary.FindAllStringIndex(
			after,
			-1,
		); len(boundaries) > 0 &&
			passiveAuxiliary.MatchString(after) {
			last := boundaries[len(boundaries)-1][0]
			after, next = after[:last], after[last:]
		}
		c := claim{kind: classify(word, after)}
		if passiveAuxiliary.MatchString(before) {
			c.parseObjects(before)
		} else {
			c.parseObjects(after)
		}
		claims = append(claims, c)
		before = next
	}
	return claims
}

var (
	completedWord = regexp.MustCompile(`(?i)\b(?:done|completed?|finished)\b`)
	pendingWord   = regexp.MustCompile(`(?i)\b(?:not done|undone|open|pending|incomplete|to do)\b`)
	taskField     = regexp.MustCompile(
		`(?i)^\s*(?:an?|the|its|their|your|new|some)?\s*(?:new )?(?:due|deadline|date|time|label|tag|note|description|` +
			`detail|priority|reminder)`,
	)
	allTasks = regexp.MustCompile(`(?i)\b(?:list|tasks?|everything|all)\b`)
)

func classify(word, rest string) Kind {
	switch word {
	case "added", "created":
		if taskField.MatchString(rest) {
			return Update
		}
		return Add
	case "deleted", "removed", "erased", "trashed":
		if taskField.MatchString(rest) {
			return Update
		}
		return Delete
	case "cleared":
		if !taskField.MatchString(rest) && allTasks.MatchString(rest) {
			return Delete
		}
		return Update
	case "completed", "finished", "checked off", "ticked off", "crossed off", "closed":
		return Complete
	case "reopened", "restored":
		return Reopen
	case "marked", "set", "changed", "moved":
		switch {
		case pendingWord.MatchString(rest):
			return Reopen
		case completedWord.MatchString(rest):
			return Complete
		}
	}
	return Update
}

const numberPattern = `\d+|two|three|four|five|six|seven|eight|nine|ten`

var (
	taskNumbers = regexp.MustCompile(
		`(?i)\btasks? (?:(?:no\.?|number|numbers) )?(#?\d+(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+|\s*&\s*)#?\d+)*)|#(\d+)`,
	)
	digits      = regexp.MustCompile(`\d+`)
	quotedTitle = regexp.MustCompile(`"([^"]+)"|⟦(\d+)⟧`)
	taskCount   = regexp.MustCompile(
		`(?i)\b(` + numberPattern + `)(?: (?:new|of the|of your|other|more|completed|pending))* (?:tasks|items|to-?dos|` +
			`of them)\b|\ball (` + numberPattern + `)\b`,
	)
	numberWords = []string{"two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
)

// parseObjects sets the numbers, titles and count of the claimed tasks.
func (c *claim) parseObjects(s string) {
	if m := taskNumbers.FindStringSubmatch(s); m != nil { // "task 5 after task 3" is about 5
		for _, d := range digits.FindAllString(m[1]+m[2], -1) {
			if n, err := strconv.Atoi(d); err == nil {
				c.numbers = append(c.numbers, n)
			}
		}
	}
	for _, m := range quotedTitle.FindAllStringSubmatch(s, -1) {
		c.titles = append(c.titles, m[0])
	}
	if m := taskCount.FindStringSubmatch(s); m != nil {
		number := strings.ToLower(m[1] + m[2])
		if n, err := strconv.Atoi(number); err == nil {
			c.count = n
		} else {
			c.count = slices.Index(numberWords, number) + 2
		}
	}
}
