package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"errand/ent/enum"
	"errand/internal/apperr"
	"errand/internal/phrase"
	"errand/internal/task"
	"errand/internal/tool"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// approvalKey names the question in the requests for input.
const approvalKey = "approval"

// Errors that end the transaction of a call: of one that needs approval, so that its effects are rolled back, and of
// one that failed, so that its key can be used again.
var (
	errNeedsApproval = errors.New("mcp: the call needs approval")
	errFailed        = errors.New("mcp: the call failed")
)

// callApproved calls a tool as the viewer. The effects of a call that needs approval are rolled back: question is then
// the request for input, if the client can show it to the user. A call with the answer is made if its changes are
// still exactly those of the question.
func (s *Server) callApproved(
	ctx context.Context, req *sdk.CallToolRequest,
) (result tool.Result, question *sdk.CallToolResult, err error) {
	name, arguments := req.Params.Name, string(req.Params.Arguments)
	known := s.o.Tools.Find(name)
	if known == nil || known.ReadOnly {
		result, err = s.o.Tools.Call(ctx, s.o.Tasks, name, arguments)
		return result, nil, err
	}
	policy, err := s.o.Tasks.ApprovalPolicy(ctx)
	if err != nil {
		return result, nil, err
	}
	approval := tool.ApprovalRequest{Mode: policy.Mode(name), MaxChanges: s.o.MaxChanges}
	if approval.Decide() == tool.Refuse {
		return refuse("The user does not allow this tool (approval policy)."), nil, nil
	}
	if !known.ChangesTasks() {
		result, err = s.o.Tools.Call(ctx, s.o.Tasks, name, arguments)
		return result, nil, err
	}
	once, err := onceOf(req)
	if err != nil {
		return tool.FailedResult(apperr.From(err)), nil, nil
	}
	err = s.o.Tasks.Atomically(ctx, func(tasks task.Tx) error {
		kept, replayed, err := tasks.Once(ctx, once, func() ([]string, error) {
			if result, err = s.o.Tools.Call(ctx, tasks, name, arguments); err != nil {
				return nil, err
			}
			approval.Changes = tasks.Changes()
			switch {
			case result.Failed:
				return nil, errFailed
			case approval.Decide() == tool.Ask && !answered(req, digest(ctx, req, approval.Changes)):
				return nil, errNeedsApproval
			}
			return keptResult(result), nil
		})
		if replayed {
			result = repeatedResult(kept)
		}
		return err
	})
	switch code := apperr.CodeOf(err); {
	case errors.Is(err, errNeedsApproval):
		result, question = s.ask(ctx, req, approval.Changes, result.Skipped)
		return result, question, nil
	case errors.Is(err, errFailed):
		return result, nil, nil
	case code == apperr.Conflict || code == apperr.BadUserInput: // of the key
		return tool.FailedResult(apperr.From(err)), nil, nil
	}
	return result, nil, err
}

func refuse(format string, args ...any) tool.Result {
	return tool.FailedResult(apperr.New(apperr.Forbidden, format, args...))
}

// ask returns the request for input, or the result of a call that was not approved or cannot be.
func (s *Server) ask(
	ctx context.Context, req *sdk.CallToolRequest, changes []enum.ProposedChange, skipped []tool.Skipped,
) (tool.Result, *sdk.CallToolResult) {
	language := phrase.English()
	list := tool.ListChanges(language, changes, skipped)
	switch answer, given := req.Params.InputResponses[approvalKey].(*sdk.ElicitResult); {
	case given && answer.Action == "accept":
		return tool.FailedResult(apperr.New(apperr.Conflict,
			"The tasks have changed since the user approved this. Nothing was changed. Call the tool again.")), nil
	case given:
		return refuse("The user did not approve this. Nothing was changed."), nil
	case !canAsk(ctx, req):
		return refuse("This needs the user's approval, and nothing was changed:\n%s\nThis client cannot ask the user. "+
			"Change at most %d tasks in a call and delete one at a time, or let the user do it in Errand.",
			list, s.o.MaxChanges), nil
	}
	return tool.Result{}, &sdk.CallToolResult{
		InputRequests: sdk.InputRequestMap{approvalKey: &sdk.ElicitParams{
			Mode:            "form",
			Message:         language.Text(phrase.ApprovalIntro, phrase.Values{}) + "\n\n" + list,
			RequestedSchema: map[string]any{"type": "object", "properties": map[string]any{}},
		}},
		RequestState: digest(ctx, req, changes),
	}
}

// answered reports whether the call carries the user's approval of the changes with the digest.
func answered(req *sdk.CallToolRequest, digest string) bool {
	answer, ok := req.Params.InputResponses[approvalKey].(*sdk.ElicitResult)
	return ok && answer.Action == "accept" && req.Params.RequestState == digest
}

// canAsk reports whether the client shows questions to the user: in revision 2026-07-28 as a request for input, over
// stdio also as a request of the server. HTTP clients of earlier revisions have no session that could carry one.
func canAsk(ctx context.Context, req *sdk.CallToolRequest) bool {
	p := req.Session.InitializeParams()
	if p == nil || p.Capabilities == nil || p.Capabilities.Elicitation == nil {
		return false
	}
	e := p.Capabilities.Elicitation
	return (e.Form != nil || e.URL == nil) && (p.ProtocolVersion >= revision2026 || exchangeFrom(ctx) == nil)
}

// digest binds an approval to the user, the tool, its arguments, and the changes with the versions of the tasks.
func digest(ctx context.Context, req *sdk.CallToolRequest, changes []enum.ProposedChange) string {
	v, _ := viewer.FromContext(ctx)
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q", v.UserID, req.Params.Name, req.Params.Arguments)
	for _, c := range changes {
		fmt.Fprintf(h, " %q %d %q", c.TaskID, c.Version, c.Kind)
		for _, f := range c.Fields {
			if f.Name == "completedAt" || f.Name == "deletedAt" {
				continue // the time of the call
			}
			b, _ := json.Marshal(f) // strings always marshal
			h.Write(b)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
