// Package intent parses the requests in a message in everyday English. Its only input is the user's message; stored
// task text is never parsed.
//
// Parse reads the whole message before it returns anything:
//
//	message      message.go: reads the sentences in order; takes requests back, merges values, keeps what is left over
//	→ sentences  structure.go: lines, bullets and sentences; their segments, in which a request or a correction begins
//	→ clauses    clause.go: one segment without courtesies. match.go: the rules, tried in order by package pattern
//	→ requests   rule.go: what the names of rules mean; slots.go: what their captures mean
//
// Slots hold one of four things:
//
//	tasks        names.go: numbers, places, pronouns, words of titles
//	values       title.go: title, note, labels, priority and due date, which package tasktext parses
//	filters      filter.go: questions about the list
//	clauses      "I want to …", "task 1 is done, so …"
//
// Segments without a rule are read by quick.go (tasks without a command, typing errors, lists of titles) or correct.go
// ("sorry, 6pm", "not 1, 2", "no, complete it"). answer.go reads the message as an answer to an open question.
// request.go is the result: Message, Request, Reference, Fields, Filter.
//
// The rules and all words are data: words/en.txt, which language.go loads. The cost is linear in the length of a
// message: a message has a budget of steps, and each attempt to match a rule uses some. Parts of the message for which
// no steps are left are reported as not understood.
package intent
