package intent

import (
	"strings"

	"errand/internal/due"
	"errand/internal/offline/text"
)

const (
	finished   = " done|complete|completed|finished|closed"
	unfinished = " not_done|undone|incomplete|uncompleted|unfinished|open|pending|todo|to-do|to_do|active|not_complete|not_completed|not_finished|outstanding|unchecked|still_open|still_pending"
)

var reopenRules = join(
	on(target(Reopen),
		"mark|set|flag|make <ref> [back] [as|to] [being]"+unfinished,
		"reopen|re-open|uncomplete|uncheck|untick|unmark|unfinish|reactivate|un-complete <ref>",
		"mark|move|put|set <ref> back to|as"+unfinished,
		"open <ref> again|back_up"),
	on(
		firmTarget(Reopen),
		"<ref> is|are|was|were not [yet|actually|really]"+finished+" [yet|after_all]",
		"<ref> isnt|arent|wasnt|werent [yet|actually|really]"+finished+" [yet|after_all]",
		"its not [yet|actually|really]"+finished+" [yet|after_all]",
		"i|we didnt|did_not|havent|have_not [actually|really] finish|finished|complete|completed|do|done <ref> "+
			"[yet|after_all]",
		"undo <ref>",
		"undo the completion of <ref>",
	),
)

var completeRules = join(
	on(target(Complete),
		"mark|set|flag|tick|check|make|count|put|move <ref> [off] [as|to|down_as] [being]"+finished,
		"mark|check|tick|cross|strike <ref> off [of] [my|the|your] [todo|to-do|task] [list]",
		"mark [as]"+finished+" [:] <ref>",
		"check_off|tick_off|cross_off|mark_off|strike_off|tick|complete|finish|close|close_out|wrap_up <ref>",
		"i|ive|we|weve [have|had] [just|already|now|finally] finished|completed|accomplished [with] [doing] <ref>",
		"done|finished|through with <ref>", "im|i_am|were|we_are [all|now|just] done|finished|through with <ref>",
		"finished|completed [:] <ref>", "i|we got <ref> done|finished"),
	on(
		firmTarget(Complete),
		"<ref> is|are|was|were|has_been|have_been [now|all|already|both|finally]"+finished+" [now|already]",
		"its [now|already|all|finally] done|complete|completed|finished [now|already]",
		"i|ive|we|weve [have|had] [just|already|now|finally] did|done|handled|taken_care_of <ref>",
		"i took_care_of|dealt_with <ref>",
	),
	on(unnamed(Complete), "complete|finish|mark_as_done|mark_done|tick_off|check_off"),
	on(singleTarget(Complete), "<ref> [:] done|complete|completed|finished", "done [:] <ref>"),
	on(target(Complete), "the|my <ref> is|are|was|were [now|all|already|finally]"+finished),
	on(deed, "i|ive|we|weve [have|had] [just|already|now|finally] <verb> <ref>"),
)

// bareDeeds lack a subject: "bought the groceries". They are tried last, because many words look like past forms.
var bareDeeds = on(func(c text.Captures, now due.Now) (Request, bool) {
	if past := c["verb"].Key(
		0,
	); irregular[past] == past || strings.HasSuffix(past, "eed") ||
		!strings.ContainsAny(baseForm(past), "aeiou") {
		return Request{}, false
	}
	return deed(c, now)
}, "[just|already|finally] <verb> <ref>")

var deleteRules = join(
	on(unnamed(Delete), "delete|remove|erase|scrap|trash|drop"),
	on(target(Delete),
		"delete|remove|erase|discard|get_rid_of|throw_away|throw_out|del|take_off <ref>",
		"take|strike|wipe <ref> off [my|the] [todo|to-do|task] [list]"),
	on(firmTarget(Delete),
		"trash|scrap|drop|bin|clear|cancel|kill|empty|dump|wipe|clean|clean_up|clear_out <ref>",
		"i dont|do_not need <ref> anymore|any_more|any_longer", "<ref> can go|be_deleted|be_removed"),
)

// irregular maps irregular past forms to base forms. Regular ones end in "ed".
var irregular = map[string]string{
	"bought": "buy", "paid": "pay", "sent": "send", "wrote": "write", "written": "write", "made": "make", "took": "take",
	"taken": "take", "got": "get", "gotten": "get",
	"went": "go", "met": "meet", "read": "read", "put": "put", "cut": "cut", "brought": "bring", "found": "find",
	"built": "build", "sold": "sell", "told": "tell",
	"spoke": "speak", "spoken": "speak", "gave": "give", "given": "give", "ran": "run", "ate": "eat", "drank": "drink",
	"fed": "feed", "hung": "hang", "left": "leave",
	"did": "do", "done": "do", "swept": "sweep", "won": "win", "chose": "choose", "drove": "drive", "flew": "fly",
	"rode": "ride", "saw": "see", "seen": "see", "sang": "sing", "swam": "swim", "thought": "think", "threw": "throw",
	"thrown": "throw", "lent": "lend", "returned": "return", "kept": "keep", "set": "set", "dealt": "deal",
	"learnt": "learn", "taught": "teach", "rang": "ring",
}

// baseForm returns the beginning of a past form's base form: "bought" → "buy", "cleaned" → "clean", "tried" → "tr".
// The result is a stem for the search in titles, not always a word.
func baseForm(past string) string {
	switch {
	case irregular[past] != "":
		return irregular[past]
	case strings.HasSuffix(past, "ied") && len(past) > 4:
		return strings.TrimSuffix(past, "ied")
	case strings.HasSuffix(past, "ed") && len(past) > 4:
		stem := strings.TrimSuffix(past, "ed")
		if n := len(stem); n > 3 && stem[n-1] == stem[n-2] && stem[n-1] != 'l' && stem[n-1] != 's' {
			stem = stem[:n-1] // planned
		}
		return stem
	}
	return ""
}

// deed parses "I bought the groceries" as the completion of a task that must exist.
func deed(c text.Captures, now due.Now) (Request, bool) {
	verb := c["verb"]
	base := baseForm(verb.Key(0))
	if verb.Len() != 1 || base == "" || verb.Key(0) == "need" || verb.Key(0) == "added" {
		return Request{}, false
	}
	what, _ := strip(c["ref"], softAfter) // "… yesterday"
	req, ok := about(Complete, what, now)
	req.Verb, req.explicit = base, false
	return req, ok
}
