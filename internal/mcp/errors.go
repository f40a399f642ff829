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

// JSON-RPC error codes in the range that the protocol leaves to implementations. The SDKs use its first values
// themselves: -32004 makes the Go client treat the connection as closed.
const (
	codeInvalidRequest  = -32000
	codeUnauthenticated = -32011
	codeForbidden       = -32013
	codeRateLimited     = -32014
	codeUnavailable     = -32015
)

// protocolError converts err to a JSON-RPC error. Unknown errors are redacted and logged with the request id.
func (s *Server) protocolError(ctx context.Context, method string, err error) error {
	if err == nil {
		return nil
	}
	_, ours := errors.AsType[*apperr.Error](err)
	if _, protocol := errors.AsType[*jsonrpc.Error](err); protocol && !ours {
		return err // sent unchanged
	}
	e := apperr.From(err)
	if e.Code == apperr.Internal || e.Code == apperr.Unavailable {
		s.o.Logger.ErrorContext(ctx, "mcp request failed", slog.String("method", method), slog.Any("error", err))
	}
	rpcErr := jsonrpcError(e)
	rpcErr.Data, _ = json.Marshal(
		errorData{e.Code, telemetry.RequestID(ctx), e.RetryAfter.Milliseconds(), e.Limit, e.Max, e.Scope},
	) // strings and numbers always marshal
	return rpcErr
}

// errorData is the data member of an error.
type errorData struct {
	Code         apperr.Code `json:"code"`
	RequestID    string      `json:"requestId"`
	RetryAfterMs int64       `json:"retryAfterMs,omitempty"`
	Limit        string      `json:"limit,omitempty"`
	Max          int64       `json:"max,omitempty"`
	Scope        string      `json:"scope,omitempty"`
}

// rateLimitedResult answers a request above the rate limit. A tool call gets an error result instead of a
// protocol error, so that the model reads the delay.
func rateLimitedResult(method string, err error) (sdk.Result, error) {
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

// jsonrpcError converts e, without data.
func jsonrpcError(e *apperr.Error) *jsonrpc.Error {
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

// codeOf returns the error code of an answer for logs and metrics.
func codeOf(result sdk.Result, err error) apperr.Code {
	if call, ok := result.(*sdk.CallToolResult); ok && err == nil {
		code, _ := call.Meta[metaCode].(apperr.Code)
		return code
	}
	rpcErr, ok := errors.AsType[*jsonrpc.Error](err)
	if !ok {
		return apperr.CodeOf(err)
	}
	var data struct{ Code apperr.Code }
	if json.Unmarshal(rpcErr.Data, &data) == nil && data.Code != "" {
		return data.Code
	}
	return apperr.BadUserInput // an error of the SDK
}
