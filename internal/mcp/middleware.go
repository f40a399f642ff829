package mcp

import (
	"context"
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

// middleware wraps every message: it adds the client's name to the viewer, checks expiry, scope and rate limit, bounds the
// time, redacts errors and reports the request.
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
	x := exchangeFrom(ctx)
	if x == nil && expired(v) { // HTTP requests have just been verified
		return nil, tokenExpired()
	}
	scope := s.requiredScope(method, req)
	if scope != "" && !v.Scopes.Allow(scope) {
		if x != nil {
			x.requireScope(string(scope))
		}
		return nil, apperr.MissingScope(string(scope))
	}
	if scope != "" { // methods without user data are not counted
		if err := s.o.CheckRateLimit(ctx); err != nil {
			return rateLimitedResult(method, err)
		}
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

// requiredScope returns the scope that a message needs, "" for methods without user data.
func (s *Server) requiredScope(method string, req sdk.Request) viewer.Scope {
	switch method {
	case methodCall:
		tool := s.o.Tools.Find(s.toolOf(req))
		if tool == nil {
			return ""
		}
		if tool.ReadOnly {
			return viewer.TasksRead
		}
		return viewer.TasksWrite
	case methodListResources, methodReadResource, methodSubscribe, methodPrompt, MethodListen:
		return viewer.TasksRead
	default:
		return ""
	}
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
