package mcp

import (
	"context"
	"net/http"
	"testing"

	"errand/ent/enum"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// connectAsking opens a client session whose user answers every question with the action; "" means that the client
// cannot ask. It returns the questions asked.
func (w *fixture) connectAsking(t *testing.T, revision, action string) (*sdk.ClientSession, *[]string) {
	t.Helper()
	var questions []string
	options := &sdk.ClientOptions{}
	if action != "" {
		options.ElicitationHandler = func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			questions = append(questions, r.Params.Message)
			return &sdk.ElicitResult{Action: action}, nil
		}
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c := sdk.NewClient(&sdk.Implementation{Name: "Asking", Version: "1"}, options)
	session, err := c.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint:   w.http.URL + Path,
		HTTPClient: &http.Client{Transport: bearerTransport{token(t, "ann", nil), transport}},
		MaxRetries: -1,
	}, &sdk.ClientSessionOptions{ProtocolVersion: revision})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session, &questions
}

func TestCallTool_NeedsApproval_AsksTheUserOrRefuses(t *testing.T) {
	for _, c := range []struct {
		revision, action string
		done             bool
		questions        int
	}{
		{revision2026, "accept", true, 1},
		{revision2026, "decline", false, 1},
		{revision2026, "cancel", false, 1},
		{revision2026, "", false, 0},
		{"2025-11-25", "accept", false, 0}, // no session that could carry a question
	} {
		t.Run(c.revision+" "+c.action, func(t *testing.T) {
			eachEngine(t, func(t *testing.T, w *fixture) {
				number := w.createTask("ann", "Pay rent")
				w.db.Client().User.UpdateOneID(w.userID("ann")).
					SetApprovalPolicy(enum.ApprovalPolicy{"complete_task": enum.ApprovalAsk}).ExecX(w.context("ann"))
				session, questions := w.connectAsking(t, c.revision, c.action)
				result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
					Name:      "complete_task",
					Arguments: map[string]any{"number": number},
				})
				require.NoError(t, err)
				require.Equal(t, c.done, !result.IsError, "%v", result.Content)
				stored, err := w.tasks.FindTaskByNumber(w.context("ann"), number)
				require.NoError(t, err)
				require.Equal(t, c.done, stored.Completed())
				require.Len(t, *questions, c.questions)
				if c.questions > 0 {
					require.Contains(t, (*questions)[0], "Complete 1 task: #1 “Pay rent”")
				}
			})
		})
	}
}

func TestStdio_NeedsApproval_AsksTheUserInAllRevisions(t *testing.T) {
	for _, revision := range bothRevisions {
		for action, done := range map[string]bool{"accept": true, "decline": false} {
			t.Run(revision+" "+action, func(t *testing.T) {
				eachEngine(t, func(t *testing.T, w *fixture) {
					number := w.createTask("ann", "Pay rent")
					w.db.Client().User.UpdateOneID(w.userID("ann")).
						SetApprovalPolicy(enum.ApprovalPolicy{"complete_task": enum.ApprovalAsk}).ExecX(w.context("ann"))
					var questions []string
					c := sdk.NewClient(&sdk.Implementation{Name: "Asking", Version: "1"}, &sdk.ClientOptions{
						ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
							questions = append(questions, r.Params.Message)
							return &sdk.ElicitResult{Action: action}, nil
						},
					})
					transport, _, wait := w.serveStdio(t, w.viewer("ann"))
					session, err := c.Connect(t.Context(), transport, &sdk.ClientSessionOptions{ProtocolVersion: revision})
					require.NoError(t, err)
					result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
						Name:      "complete_task",
						Arguments: map[string]any{"number": number},
					})
					require.NoError(t, err)
					require.Equal(t, done, !result.IsError, "%v", result.Content)
					require.Len(t, questions, 1)
					stored, err := w.tasks.FindTaskByNumber(w.context("ann"), number)
					require.NoError(t, err)
					require.Equal(t, done, stored.Completed())
					_ = session.Close()
					require.NoError(t, wait())
				})
			})
		}
	}
}

// An answer is bound to the changes that the user has seen.
func TestCallTool_TaskChangedBeforeAnswer_IsNotDone(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		number := w.createTask("ann", "Pay rent")
		w.db.Client().User.UpdateOneID(w.userID("ann")).
			SetApprovalPolicy(enum.ApprovalPolicy{"delete_task": enum.ApprovalAsk}).ExecX(w.context("ann"))
		session, _ := w.connectAsking(t, revision2026, "accept")
		stored, err := w.tasks.FindTaskByNumber(w.context("ann"), number)
		require.NoError(t, err)
		for name, state := range map[string]string{"forged": "forged", "none": ""} {
			result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
				Name:           "delete_task",
				Arguments:      map[string]any{"number": number},
				InputResponses: sdk.InputResponseMap{approvalKey: &sdk.ElicitResult{Action: "accept"}},
				RequestState:   state,
			})
			require.NoError(t, err)
			require.True(t, result.IsError, name)
			after, err := w.tasks.FindTaskByNumber(w.context("ann"), number)
			require.NoError(t, err)
			require.Equal(t, stored.Version, after.Version)
		}
	})
}

func TestCallTool_PolicyNever_IsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *fixture) {
		number := w.createTask("ann", "Pay rent")
		w.db.Client().User.UpdateOneID(w.userID("ann")).
			SetApprovalPolicy(enum.ApprovalPolicy{"delete_task": enum.ApprovalNever}).ExecX(w.context("ann"))
		session, _ := w.connectAsking(t, revision2026, "accept")
		result, err := session.CallTool(t.Context(), &sdk.CallToolParams{
			Name:      "delete_task",
			Arguments: map[string]any{"number": number},
		})
		require.NoError(t, err)
		require.True(t, result.IsError)
		stored, err := w.tasks.FindTaskByNumber(w.context("ann"), number)
		require.NoError(t, err)
		require.NotNil(t, stored)
	})
}
