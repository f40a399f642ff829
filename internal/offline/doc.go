// Package offline implements llms.Model without a key or a network: a deterministic model that
// reads English commands about tasks.
//
// The model is a pure function of the conversation. It parses the requests in the user's last
// message (package intent), plans one action for each, and compares the plan with the tool results
// recorded for the turn. It answers with the next tool calls, or with the final text when the plan
// is done. What follow-up messages refer to ("the second one") comes from replaying earlier turns,
// so the model keeps no state.
//
// The reply reports only tool results of the turn. Stored task text is shown and never parsed as a
// request.
package offline
