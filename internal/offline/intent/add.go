package intent

import (
	"unicode/utf8"

	"errand/internal/due"
	"errand/internal/offline/text"
)

const (
	create   = "add|create|make|new|enter|insert|set_up|setup|set|put_in|put_down|write_down|jot_down|note_down|schedule|plan|put|register|log"
	thing    = "task|todo|to-do|to_do|reminder|item|entry|errand|chore"
	newThing = create + " [me|us|up] [a|an|another|one_more|my|the|this|one] [new] <values?> " + thing
	things   = "tasks|todos|to-dos|to_dos|reminders|items|entries|errands|chores|things"
	opener   = " to|for|:|-|called|named|titled|that_says|saying|which_says|about|of|that_reads|,"
	onList   = " [to|on|onto|in|into|for] [my|the|our|me|us] [todo|to-do|to_do|task|tasks] [list]"
	duty     = "need_to|have_to|must|should|gotta|ought_to|got_to|gotta|am_supposed_to|need|have_got_to|shall"
)

var addRules = join(
	on(
		addMany,
		create+" [me] [these|the_following|those|some|a_few|two|three|four|five|2|3|4|5|6|several|multiple|new|following] [new|following] "+things+onList+" :|- <titles?>",
		create+" [me] [these|the_following|those|some|a_few|two|three|four|five|2|3|4|5|6|several|multiple|new|following] [new|following] "+things+onList,
		"add|create|put the_following|these|this [things]"+onList+" : <titles?>",
		"add|put to|on my|the [todo|to-do|task] list|tasks|todos : <titles?>",
		things+" [to_add] : <titles?>",
		create+" [some|a_few|two|three|several|new] tasks|todos|to-dos|reminders to|for <titles?>",
		"add|create [these|this|the_following|some]",
	),
	on(
		addTask,
		newThing+" [to|on|onto|in] my|the [todo|to-do|task] list|tasks"+opener+" <title?>",
		newThing+" for_me|for_us"+opener+" <title?>",
		newThing+opener+" <title?>",
		"i|we need|want|have [a|an|another] [new] <values?> "+thing+opener+" <title?>",
		"add|put|write|stick|throw|get|place|drop|pop|include|enter|note|insert|save [down] <title> "+
			"to|on|onto|in|into [my|the|our|a|your] todo|to-do|to_do|task|tasks|reminder|errand list|lists <values?>",
		"add|put|write|stick|throw|get|place|include <title> to|on|onto|in|into|among [my|the|our|your] "+
			"list|tasks|todos|to-dos|agenda|plate|reminders <values?>",
		"remind me|us [to|about|that|of|:|,|-] <title>",
		"remind me|us",
		"dont_let_me|do_not_let_me|never_let_me forget [to|about|that|:] <title>",
		"dont|do_not forget [to|about|that|:] <title>",
		"remember to|that|: <title>",
		"make_sure|ensure i|that_i|we [remember_to|dont_forget_to|do_not_forget_to] <title>",
		"help_me [to] remember [to|that|about] <title>",
		"[a] note_to_self|memo|note_to_myself [:|-|,|to] <title>",
		"make|take [a] note to|of|: <title>",
		"todo|to-do|to_do [:|-] <title>",
		"task|reminder|new_task|new_todo|new_reminder|new_to-do|another_task|next_task :|- <title>",
		"new task|todo|to-do|reminder|item [called|named|for|to] <title>",
		"i|ive|im|we|weve [really|also|still|just] "+duty+" [to] remember [to|about|that] <title>",
		"i|we want_to|cannot|cant|mustnt|must_not|shouldnt|should_not remember|forget [to|about|that] <title>",
	),
	on(addPlain, newThing+" <title?>"),
	on(addNamed, "add|put|place|stick <title> to|on|onto|in|into [my|the|our|a] <label> list"),
	on(
		addLoose,
		"add|queue|queue_up|put_down [:] <title>",
		"schedule|book_in|note|jot_down|write_down|note_down|plan [:] <title>",
	),
	on(addDuty, "i|ive|im|we|weve [really|also|still|just] "+duty+" [to] [also] <title>"),
)

// addTask builds a request to add a task. Without a title, the user is asked for it.
func addTask(c text.Captures, now due.Now) (Request, bool) {
	req := Request{Kind: Add, explicit: true, free: true}
	var outer Fields
	if v := c["values"]; v.Len() > 0 {
		var ok bool
		if outer, req.Rejection, ok = attributesOnly(v, now); !ok {
			return Request{}, false
		}
	}
	req.fill(c["title"], now)
	if req.Fields.Priority == "" {
		req.Fields.Priority = outer.Priority
	}
	if req.Fields.Due == nil {
		req.Fields.Due = outer.Due
	}
	req.Fields.AddLabels = append(req.Fields.AddLabels, outer.AddLabels...)
	return req, true
}

// addPlain is addTask for "add task milk"; "make task 3 …" is not a new task.
func addPlain(c text.Captures, now due.Now) (Request, bool) {
	if numberForm.MatchString(c["title"].Key(0)) {
		return Request{}, false
	}
	return addTask(c, now)
}

// fill parses a title with attributes into the request.
func (r *Request) fill(t text.Text, now due.Now) {
	t = dropArticle(t.Trim())
	if what, ok := due.Recurring(t.Keys()); ok {
		r.Kind, r.Topic, r.Rhythm = Say, NoRepeat, what
		return
	}
	if quotations(t) {
		r.several, r.titles = true, t
		return
	}
	f, rejection := titled(t, now)
	if r.Rejection == "" {
		r.Rejection = rejection
	}
	r.Fields = f
}

// quotations parses a list of quoted titles: "Milk", then "Eggs".
func quotations(t text.Text) bool {
	n := 0
	for i, tok := range t.Tokens {
		switch {
		case tok.Kind == text.Quoted:
			n++
		case !ties[t.Key(i)] && t.Key(i) != ",":
			return false
		}
	}
	return n > 1
}

// dropArticle removes an article: "a meeting with Ann" becomes the title "Meeting with Ann".
func dropArticle(t text.Text) text.Text {
	if k := t.Key(
		0,
	); t.Len() > 1 && (k == "a" || k == "an") && t.Key(1) != "few" && t.Key(1) != "couple" &&
		t.Key(1) != "lot" {
		return t.From(1)
	}
	return t
}

// addLoose matches "add" without the word "task": "add milk".
func addLoose(c text.Captures, now due.Now) (Request, bool) {
	req := Request{Kind: Add, free: true}
	req.fill(c["title"], now)
	return req, true
}

// addNamed uses the name of another list than the task list as a label.
func addNamed(c text.Captures, now due.Now) (Request, bool) {
	if c["label"].Len() != 1 || c["label"].Tokens[0].Kind != text.Word ||
		utf8.RuneCountInString(c["label"].String()) > maxLabel {
		return Request{}, false
	}
	req, ok := addTask(c, now)
	if req.Kind == Add {
		req.Fields.AddLabels = append(req.Fields.AddLabels, c["label"].Key(0))
	}
	return req, ok
}

// addDuty parses "I need to pay bills". Commands to the program ("I need to delete task 3") are left to other rules.
func addDuty(c text.Captures, now due.Now) (Request, bool) {
	if refs := references(c["title"], now); firm(refs) {
		return Request{}, false
	}
	return addTask(c, now)
}

// addMany parses a header with its titles, or a header whose titles follow on separate lines.
func addMany(c text.Captures, _ due.Now) (Request, bool) {
	return Request{Kind: Add, several: true, explicit: true, free: true, titles: c["titles"]}, true
}

// titles splits "milk, eggs and bread" into one request for each title. An attribute, as in "…, urgent", belongs to the
// preceding title.
func titles(t text.Text, now due.Now) []Request {
	var reqs []Request
	first, start := 0, 0
	for i := 0; i <= t.Len(); i++ {
		if i < t.Len() && !(joins[t.Key(i)] && t.Key(i) != "or") && t.Key(i) != ";" {
			continue
		}
		piece, begin := t.Slice(start, i).Trim(), start
		for ties[piece.Key(0)] && piece.Len() > 1 {
			piece = piece.From(1)
		}
		start = i + 1
		if piece.Len() == 0 {
			continue
		}
		if _, _, trait := attributesOnly(piece, now); trait && len(reqs) > 0 {
			reqs = reqs[:len(reqs)-1]
			piece = t.Slice(first, i).Trim()
		} else {
			first = begin
		}
		reqs = append(reqs, titleRequest(piece, now))
	}
	return reqs
}

func titleRequest(t text.Text, now due.Now) Request {
	req := Request{Kind: Add, free: true}
	req.fill(t, now)
	req.Said = t.String()
	return req
}
