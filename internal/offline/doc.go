// Package offline is the offline model: a deterministic llms.Model with no key and no network.
//
// It is a pure function of the conversation that it is given. From the person's last message it
// reads the requests (package intent) and plans them; from the tool results of the turn so far it
// knows what is done, and answers with the next tool calls or with the final text. What an earlier
// turn was about it learns by replaying that turn, so it needs no memory of its own.
//
// The text states only what tool results of this turn say. Stored task text is shown,
// never read as a request.
package offline
