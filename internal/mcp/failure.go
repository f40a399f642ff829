package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"

	"errand/internal/apperr"
	"errand/internal/telemetry"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The codes of errors beside those of JSON-RPC, from the range that the protocol leaves
// to implementations. The SDKs take the first few of it for states of their own: -32004, for
// one, makes a client in Go believe that the connection is closed.
const (
	codeRefused         = -32000
	codeUnauthenticated = -32011
	codeForbidden       = -32013
	codeRateLimited     = -32014
	codeUnavailable     = -32015
)

// redact keeps the errors that are for the caller and hides all others behind the
// request's id, under which the log has them.
func (s *Server) redact(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	_, ours := errors.AsType[*apperr.Error](err)
	if _, protocol := errors.AsType[*jsonrpc.Error](err); protocol && !ours {
		return err // the SDK sends it as it is
	}
	e := apperr.From(err)
	if e.Code == apperr.Internal || e.Code == apperr.Unavailable {
		s.o.Logger.ErrorContext(ctx, "mcp request failed", slog.String("method", method), slog.Any("error", err))
	}
	wire := failed(e)
	wire.Data, _ = json.Marshal(
		errorData{e.Code, telemetry.RequestID(ctx), e.RetryAfter.Milliseconds()},
	) // strings and numbers always marshal
	return wire
}

// errorData is what an error says beside its message.
type errorData struct {
	Code         apperr.Code `json:"code"`
	RequestID    string      `json:"requestId"`
	RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
}

// notAdmitted is the answer to what was not admitted. Of a call it is a result, as of all calls
// that cannot be carried out: the model reads it and waits.
func notAdmitted(method string, err error) (sdk.Result, error) {
	var e *apperr.Error
	if method != methodCall || !errors.As(err, &e) || e.Code != apperr.RateLimited {
		return nil, err
	}
	return &sdk.CallToolResult{
		Content: []sdk.Content{
			&sdk.TextContent{
				Text: fmt.Sprintf("%s Try again in %d seconds.", e.Message, int(math.Ceil(e.RetryAfter.Seconds()))),
			},
		},
		IsError: true, Meta: sdk.Meta{metaCode: e.Code, metaRetryAfter: e.RetryAfter.Milliseconds()},
	}, nil
}

// failed is an error in the protocol's form.
func failed(e *apperr.Error) *jsonrpc.Error {
	code := int64(jsonrpc.CodeInternalError)
	switch e.Code {
	case apperr.BadUserInput, apperr.NotFound:
		code = jsonrpc.CodeInvalidParams
	case apperr.Unauthenticated:
		code = codeUnauthenticated
	case apperr.Forbidden:
		code = codeForbidden
	case apperr.RateLimited:
		code = codeRateLimited
	case apperr.Unavailable:
		code = codeUnavailable
	}
	return &jsonrpc.Error{Code: code, Message: e.Message}
}

// codeOf is how an answer counts in logs and metrics.
func codeOf(result sdk.Result, err error) apperr.Code {
	if call, ok := result.(*sdk.CallToolResult); ok && err == nil {
		code, _ := call.Meta[metaCode].(apperr.Code)
		return code
	}
	wire, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok {
		return apperr.CodeOf(err)
	}
	var data struct{ Code apperr.Code }
	if json.Unmarshal(wire.Data, &data) == nil && data.Code != "" {
		return data.Code
	}
	return apperr.BadUserInput // one of the protocol's own errors
}
