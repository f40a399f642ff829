package mcp

import (
	"encoding/json"
	"fmt"

	"errand/internal/apperr"
	"errand/internal/idempotency"
	"errand/internal/tool"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// metaIdempotencyKey is the member of _meta with the idempotency key of a call of a tool that changes tasks.
const metaIdempotencyKey = "errand/idempotencyKey"

// maxKeptResult is the size in bytes up to which the result of a call with a key is kept. Keys do not count towards the
// quota of bytes.
const maxKeptResult = 8 << 10

// onceOf returns the request that a call may repeat. Calls without a key have none.
func onceOf(req *sdk.CallToolRequest) (idempotency.Request, error) {
	r := idempotency.Request{Operation: "mcp:" + req.Params.Name}
	value, ok := req.Params.Meta[metaIdempotencyKey]
	if !ok || value == nil {
		return r, nil
	}
	key, ok := value.(string)
	if !ok {
		return r, apperr.Invalid("idempotencyKey", "The member %s of _meta must be a string.", metaIdempotencyKey)
	}
	r.Key = &key
	// Decoded, so that the order of members and the space between them do not matter.
	if json.Unmarshal(req.Params.Arguments, &r.Input) != nil {
		r.Input = string(req.Params.Arguments)
	}
	return r, nil
}

// keptResult returns the result of a call that succeeded, for a call that repeats it: its JSON and its text, or nothing
// if they are too long.
func keptResult(r tool.Result) []string {
	if len(r.JSON)+len(r.Text) > maxKeptResult {
		return []string{}
	}
	return []string{r.JSON, r.Text}
}

// repeatedResult is the inverse of keptResult. An empty object matches the output schemas of all tools that change
// tasks.
func repeatedResult(kept []string) tool.Result {
	if len(kept) < 2 {
		return tool.Result{JSON: "{}", Text: fmt.Sprintf("An earlier call with this key has done this. Its result was "+
			"longer than %d bytes and is not kept; recent_changes has its changes.", maxKeptResult)}
	}
	return tool.Result{JSON: kept[0], Text: kept[1]}
}
