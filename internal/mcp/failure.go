package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"errand/internal/apperr"
	"errand/internal/telemetry"
)

// The codes of errors beside those of JSON-RPC, from the range that the protocol leaves
// to implementations.
const (
	codeRefused         = -32000
	codeUnauthenticated = -32001
	codeForbidden       = -32003
	codeRateLimited     = -32004
	codeUnavailable     = -32005
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
	wire.Data, _ = json.Marshal(map[string]string{"code": string(e.Code), "requestId": telemetry.RequestID(ctx)}) // strings always marshal
	return wire
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
