package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"errand/internal/apperr"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	methodInitialize    = "initialize"
	methodCall          = "tools/call"
	methodListResources = "resources/list"
	methodReadResource  = "resources/read"
	methodSubscribe     = "resources/subscribe"
	methodPrompt        = "prompts/get"
)

// MethodListen is the method of a subscription. Its answer is sent when the subscription ends.
const MethodListen = "subscriptions/listen"

// middleware wraps every message: it adds the client's name to the viewer, checks expiry and rate limit, bounds the
// time, redacts errors and reports the request. Scopes are checked where the data is read or changed; over
// HTTP a missing one is also a challenge.
func (s *Server) middleware(l *subscriber) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			began := time.Now()
			v, err := viewer.Require(ctx)
			if err != nil {
				return nil, s.protocolError(ctx, method, err)
			}
			x := exchangeFrom(ctx)
			report := Report{Method: method, Tool: s.toolOf(req), Transport: "stdio", Client: clientOf(req, x)}
			if x != nil {
				report.Transport = "http"
			}
			v.Client = report.Client
			ctx = viewer.NewContext(ctx, v)
			result, err := s.handle(ctx, next, method, req, l)
			if e, ok := errors.AsType[*apperr.Error](err); ok && e.Scope != "" && x != nil {
				x.requireScope(e.Scope)
			}
			err = s.protocolError(ctx, method, err)
			report.Code, report.Latency = codeOf(result, err), time.Since(began)
			s.o.OnRequest(ctx, report)
			return result, err
		}
	}
}

func (s *Server) handle(
	ctx context.Context,
	next sdk.MethodHandler,
	method string,
	req sdk.Request,
	l *subscriber,
) (result sdk.Result, err error) {
	// The SDK runs handlers on its own goroutines, where a panic would end the process.
	defer func() {
		if p := recover(); p != nil {
			s.o.Logger.ErrorContext(ctx, "panic", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			result, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	v, _ := viewer.FromContext(ctx)
	if exchangeFrom(ctx) == nil && expired(v) { // HTTP requests have just been verified
		return nil, tokenExpired()
	}
	if err := s.rateLimit(ctx); err != nil {
		return rateLimitedResult(method, err)
	}
	if listen, ok := req.(*sdk.SubscriptionsListenRequest); ok {
		return s.listen(ctx, next, listen, l)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	switch r := req.(type) {
	case *sdk.ListResourcesRequest:
		return s.listResources(ctx, r)
	case *sdk.SubscribeRequest:
		if l != nil && !s.exists(ctx, r.Params.URI) {
			return nil, sdk.ResourceNotFoundError(r.Params.URI)
		}
	}
	result, err = next(ctx, method, req)
	if initialized, ok := result.(*sdk.InitializeResult); ok && err == nil {
		adjustInitializeResult(ctx, req, initialized)
	}
	return result, err
}

// adjustInitializeResult completes the handshake of the older revisions. Over HTTP without sessions they cannot
// receive notifications, so none are offered, and the session id carries the name of the client.
func adjustInitializeResult(ctx context.Context, req sdk.Request, result *sdk.InitializeResult) {
	x := exchangeFrom(ctx)
	if x == nil {
		return
	}
	result.Capabilities.Resources = &sdk.ResourceCapabilities{}
	if p, ok := req.GetParams().(*sdk.InitializeParams); ok && p.ClientInfo != nil {
		x.Header().Set(sessionHeader, sessionID(p.ClientInfo.Name))
	}
}

// rateLimit returns the error of the rate limit. HTTP requests have been counted by count.
func (s *Server) rateLimit(ctx context.Context) error {
	if x := exchangeFrom(ctx); x != nil {
		return x.limited
	}
	return s.o.CheckRateLimit(ctx)
}

// toolOf returns the called tool, "" for unknown names: logs and metrics take no names from clients.
func (s *Server) toolOf(req sdk.Request) string {
	if r, ok := req.(*sdk.CallToolRequest); ok && s.o.Tools.Find(r.Params.Name) != nil {
		return r.Params.Name
	}
	return ""
}

// clientOf returns the client name of the message or of the session's handshake, else of the HTTP headers.
func clientOf(req sdk.Request, x *httpExchange) string {
	if p, ok := req.GetParams().(*sdk.InitializeParams); ok && p != nil && p.ClientInfo != nil {
		return clientName(p.ClientInfo.Name)
	}
	if r, ok := req.(interface{ ClientInfo() *sdk.Implementation }); ok {
		if info := r.ClientInfo(); info != nil && info.Name != "" {
			return clientName(info.Name)
		}
	}
	if x == nil {
		return ""
	}
	return clientFromHeader(x.request.Header)
}
