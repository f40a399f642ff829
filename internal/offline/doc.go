// Package offline implements llms.Model without a key or a network: a deterministic model that reads commands about
// tasks, in English and, by files of patterns, in other languages.
//
// The model is a pure function of the conversation. For one call:
//
//	model.go      llms.Model: ids of calls, usage, streaming
//	history.go    splits the conversation into turns: a message, and the recorded tool calls with their results
//	reader.go     parses messages (packages language and intent), each once for all steps of a turn
//	turn.go       runs the turns: compares their calls with the recorded ones until a call has no recorded result
//	understand.go reads a message as an answer to the open question or as a new request; match.go finds shown tasks
//	plan.go       turns the requests into actions
//	read.go       the actions that list tasks and changes; filter arguments are in fields.go
//	write.go      the actions that add tasks, undo, and ask
//	change.go     the action that changes or shows tasks; fields.go its arguments, report.go its outcome
//	reply.go      composes the reply from the outcomes; phrase.go has the words for tasks and dates
//	memory.go     what follow-up messages refer to: mentioned tasks ("the second one"), the open question
//	result.go     the tools' names, calls and results
//
// The whole message is read before the first call. An action is a function that calls tools and returns its outcome.
// In each step of a turn it runs again with the results so far, until it needs a result that is not recorded. The tools
// find the tasks: an action passes on the number or the words that the user wrote, in one call for all tasks of a kind.
// If the words match several tasks, the tool returns these, and the reply asks which one is meant. An action reads
// tasks first only to select them ("all but the report"), to name them in a question ("delete task 1?"), or to report
// what an update changed. The server decides whether changes need the user's approval, and asks for it.
//
// All sentences are in language/words, English in en.txt. The reply reports only tool results of the turn, and names
// each part of the message for which nothing was done. Stored task text is shown and never parsed as a request.
package offline
