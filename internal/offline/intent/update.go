package intent

import (
	"slices"
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
)

const (
	change   = "change|set|update|edit|modify|make|adjust|correct|fix|alter"
	shift    = "move|reschedule|postpone|push|delay|shift|snooze|defer|bump|put_off"
	strike   = "clear|remove|delete|drop|unset|erase|cancel|take_away|get_rid_of|take_off|take"
	dueWords = "due_date|due_dates|deadline|date|due_time|due_day|due|time|schedule|reminder"
	notes    = "note|notes|comment|comments|description|descriptions|detail|details"
	tags     = "label|labels|tag|tags"
)

// clearRules must precede the delete rules: "remove the due date from task 3".
var clearRules = join(
	on(fixedFields(Fields{ClearDue: true}),
		strike+" [the|its|all|any] "+dueWords+" [date] of|from|for|on|off|in <ref>",
		strike+" <ref> "+dueWords+" [date]",
		change+" <ref> [to|as|have|be] no_due_date|no_deadline|undated|without_a_due_date|without_a_deadline",
		change+" [the] "+dueWords+" of|for|on <ref> to none|nothing|empty|never"),
	on(clearIts(Fields{ClearDue: true}), strike+" its "+dueWords, strike+" [the] due_date|deadline"),
	on(
		firmFields(Fields{ClearDue: true}),
		"<ref> has|have|needs no "+dueWords,
		"<ref> has_no|have_no|doesnt_have_a|doesnt_need_a|does_not_have_a|does_not_need_a|isnt|is_not|is_no_longer "+dueWords+" [anymore]",
	),
	on(
		fixedFields(Fields{Priority: "none"}),
		strike+"|reset [the|its] priority|prio|urgency of|from|for|on <ref>",
		strike+"|reset <ref> priority|prio",
		strike+" urgent|important|high_priority from|off|of <ref>",
	),
	on(
		firmFields(Fields{Priority: "none"}),
		"<ref> isnt|is_not|is_no_longer [so|that|very] urgent|important [anymore]",
		"its not|no_longer urgent|important [anymore]",
	),
	on(
		fixedFields(Fields{ClearLabels: true}),
		strike+" [all|the|its|all_the] labels|tags of|from|on|off <ref>",
		"unlabel|untag <ref>",
	),
	on(
		fixedFields(Fields{ClearDescription: true}),
		strike+" [the|its|all|all_the] "+notes+" of|from|on|for|off <ref>",
		strike+" <ref> "+notes,
	),
	on(clearIts(Fields{ClearDescription: true}), strike+" its "+notes),
)

var noteRules = join(
	on(
		note(true),
		"add|append|attach|put|write|leave|make [a|the|this|another|following] "+notes+" to|on|for|in|onto <ref> "+
			":|that_says|saying|that|, <text>",
		"add|append|attach|put <text> as a|the|another "+notes+" to|on|for <ref>",
		"add|append <text> to [the] "+notes+" of|on|for <ref>",
	),
	on(firmNote, "note|notes|comment on|for|to <ref> : <text>"),
	on(
		quotedNote,
		"add|append|attach|put|write|leave [a|the|this] "+notes+" to|on|for|in <ref> <text>",
		"add|append|attach [a|the|this] "+notes+" <text> to|on|for <ref>",
	),
	on(note(false),
		change+"|replace [the] "+notes+" of|for|on|in <ref> to|as|:|with <text>",
		change+"|replace <ref> "+notes+" to|as|:|with <text>",
		"describe <ref> as|: <text>",
		"add|give [a|the] description to|for <ref> : <text>"),
)

var labelRules = join(
	on(labels(true),
		"label|tag <ref> as|with <labels>", "add|put|attach|apply|set|give [the|a|an] "+tags+" <labels> to|on|for <ref>",
		"give <ref> [the|a] "+tags+" <labels>", "add <labels> "+tags+" to <ref>"),
	on(hashLabels(true), "add|put|attach <labels> to|on <ref>", "label|tag <ref> <labels>"),
	on(labels(false), strike+" [the] "+tags+" <labels> from|off|of|on <ref>"),
	on(hashLabels(false), strike+" <labels> from|off <ref>"),
)

var valueRules = join(
	on(
		values,
		"set|change|make|raise|lower|bump|increase|decrease|reduce|update|move|adjust [up|down] [the] "+
			"priority|prio|urgency|importance of|for|on <ref> to|as|:|= [be] <values>",
		"set|change|make|raise|lower|bump|increase|decrease|reduce|update <ref> priority|prio|urgency to|as|: <values>",
		change+"|push|move|add|put|give [back] [the|a|its] "+dueWords+" [date] of|for|on|to|from <ref> [back] "+
			"to|as|for|at|on|is|:|of <values>",
		change+"|push|move <ref> "+dueWords+" [date] [back] [to|for|as|at|on] <values>",
		"[the] "+dueWords+"|priority of|for|on <ref> is|should_be [now] <values>",
		"give <ref> [a|an|the] [due] [date|deadline|due_date|priority] [of] <values>",
		"mark|flag|label|classify <ref> [as] <values>",
		change+"|keep|turn <ref> [to|as|a|an|be|into|for|with] [a|an|be] <values>",
	),
	on(
		movedValues,
		shift+"|change|make <ref> [back|forward|out|off|up] to|until|till|for|by|on|onto|from <values>",
		shift+" <ref> <values>",
	),
	on(pointedValues, "put|bring|schedule|carry|advance <ref> [back|forward|on|up] to|until|till|for|by|on|onto <values>"),
	on(
		itsValues,
		"its|that_is|thats [now|actually|also] [a|an] <values>",
		change+"|push|move its "+dueWords+"|priority [to|as] <values>",
	),
	on(firmValues,
		"add|set|create|make [a|the|another] reminder for|on|about <ref> [for|at|on] <values>",
		"add|give|set|assign|put [a|the] "+dueWords+" [date] [of|for|:] <values> to|on|for <ref>",
		"<ref> is|are|has|should_be|must_be|needs_to_be|gets|should_have [now|actually|also] [a|an] <values>",
		"<ref> : <values>", "remind me|us about|of|to_do <ref> <values>", "<ref> on|by|at|due <values>"),
	on(fixedFields(Fields{Priority: "high"}), "prioritize|prioritise|star <ref>"),
	on(fixedFields(Fields{Priority: "low"}), "deprioritize|deprioritise|de-prioritize <ref>"),
)

// laterRules match the postponement of a due date by a span.
var laterRules = join(
	on(
		later,
		shift+" <ref> [back|out] by|for|another <span>",
		shift+" <ref> [back|out] <span>",
		shift+" [the] "+dueWords+" [date] of|for|on <ref> [back] by <span>",
		"give <ref> another <span>",
	),
)

var renameRules = join(
	on(rename,
		"rename|retitle|reword|rephrase|re-title <ref> to|as|into|: <title>",
		change+" [the] title|name|wording|text of|for|on <ref> to|as|into|: <title>",
		change+" <ref> title|name|wording|text to|as|into|: <title>",
		change+"|rename <ref> to_be|to_say|to_read|so_it_says|so_that_it_says|to: <title>",
		"change|edit|update|modify|turn|correct <ref> to|into|: <title>",
		"replace <ref> with|by <title>"),
	on(
		firmRename,
		"<ref> should_be|should_say|should_read|should_be_called|is_now|is_now_called|is_called <title>",
		"call|name <ref> <title>",
	),
)

func firmFields(f Fields) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		req, ok := aboutFirm(Update, c["ref"], now)
		req.Fields = f
		return req, ok
	}
}

func its(f Fields) Request {
	return Request{Kind: Update, Refs: []Reference{{Kind: It, firm: true}}, Fields: f, explicit: true}
}

func clearIts(f Fields) builder {
	return func(text.Captures, due.Now) (Request, bool) { return its(f), true }
}

// note parses a description to append, or to replace the current one.
func note(appended bool) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		req, ok := about(Update, c["ref"], now)
		s := plain(c["text"])
		req.Fields, req.free = Fields{Description: s, AppendNote: appended}, true
		if utf8.RuneCountInString(s) > maxDescription {
			req.Rejection = "A description can have 10000 characters at most."
		}
		return req, ok && s != ""
	}
}

func firmNote(c text.Captures, now due.Now) (Request, bool) {
	req, ok := note(true)(c, now)
	return req, ok && req.explicit
}

// quotedNote matches a note without a colon, which begins at the quotation mark.
func quotedNote(c text.Captures, now due.Now) (Request, bool) {
	if _, quoted := c["text"].Literal(); !quoted {
		return Request{}, false
	}
	return note(true)(c, now)
}

func labels(add bool) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		req, ok := about(Update, c["ref"], now)
		s := newSheet(c["labels"], due.Now{})
		for i, tok := range c["labels"].Tokens {
			switch {
			case tok.Kind == text.Quoted:
				s.addLabel(tok.Literal)
			case tok.Kind == text.Word && tok.Key != "and":
				raw := c["labels"].Raw(i)
				s.addLabel(raw[len(raw)-len(trimHash(raw)):])
			}
		}
		found := s.fields.AddLabels
		if req.Rejection = s.rejection; add {
			req.Fields.AddLabels = found
		} else {
			req.Fields.DropLabels = found
		}
		return req, ok && (len(found) > 0 || s.rejection != "")
	}
}

func trimHash(s string) string {
	if s[0] == '#' && len(s) > 1 {
		return s[1:]
	}
	return s
}

// hashLabels matches labels without the word "label", each written as "#label".
func hashLabels(add bool) builder {
	return func(c text.Captures, now due.Now) (Request, bool) {
		for _, k := range c["labels"].Keys() {
			if !labelForm.MatchString(k) && !joins[k] {
				return Request{}, false
			}
		}
		return labels(add)(c, now)
	}
}

// values builds an update of <ref> from <values>, which may contain only priority, labels and due date.
func values(c text.Captures, now due.Now) (Request, bool) {
	f, rejection, ok := attributesOnly(c["values"], now)
	if !ok {
		return repetition(c, now)
	}
	req, ok := about(Update, c["ref"], now)
	req.Fields, req.Rejection = f, rejection
	return req, ok && !speaksOfValues(c["ref"])
}

// speaksOfValues reports whether the words of a reference belong to the values: "the meeting to high priority and".
func speaksOfValues(t text.Text) bool {
	return t.Tokens[0].Kind != text.Quoted &&
		slices.ContainsFunc(t.Keys(), func(k string) bool { return k == "priority" || k == "due" || k == "deadline" })
}

// repetition rejects "move task 2 to every friday", because tasks do not repeat.
func repetition(c text.Captures, now due.Now) (Request, bool) {
	k := c["values"].Key(0)
	what, ok := due.Recurring(c["values"].Keys())
	ok = ok && (k == "every" || k == "each" || c["values"].Len() == 1) && firm(references(c["ref"], now))
	return Request{Kind: Say, Topic: NoRepeat, Rhythm: what, explicit: true}, ok
}

func firmValues(c text.Captures, now due.Now) (Request, bool) {
	req, ok := values(c, now)
	return req, ok && req.explicit && !whole(req.Refs)
}

// movedValues is values for a task that is moved to another day, at the same time.
func movedValues(c text.Captures, now due.Now) (Request, bool) {
	req, ok := values(c, now)
	req.Fields.KeepTime = req.Fields.Due != nil && !req.Fields.Due.Timed
	return req, ok
}

func pointedValues(c text.Captures, now due.Now) (Request, bool) {
	req, ok := values(c, now)
	return req, ok && pointed(req.Refs)
}

func itsValues(c text.Captures, now due.Now) (Request, bool) {
	f, rejection, ok := attributesOnly(c["values"], now)
	req := its(f)
	req.Rejection = rejection
	return req, ok
}

// rename builds an update with the title as the user wrote it; words that look like a date are part of it.
func rename(c text.Captures, now due.Now) (Request, bool) {
	req, ok := about(Update, c["ref"], now)
	t := c["title"].Trim()
	title, rejection := titleOf(t, make([]bool, t.Len()))
	req.Fields.Title, req.Rejection, req.free = title, rejection, true
	return req, ok && (title != "" || rejection != "")
}

func firmRename(c text.Captures, now due.Now) (Request, bool) {
	req, ok := rename(c, now)
	_, quoted := c["title"].Trim().Literal()
	return req, ok && req.explicit && quoted
}

// later parses "postpone task 3 by two days".
func later(c text.Captures, now due.Now) (Request, bool) {
	span := c["span"].Keys()
	if !due.IsSpan(span) {
		return Request{}, false
	}
	req, ok := about(Update, c["ref"], now)
	req.Fields.Later = span
	return req, ok
}
