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

// MethodListen is the method of a subscription: it is answered when that ends.
const MethodListen = "subscriptions/listen"

// receive stands around every message: it knows who is asking, ends what takes too long,
// redacts errors and reports.
func (s *Server) receive(l *live) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			began := time.Now()
			caller, ok := callerFrom(ctx)
			if !ok || caller.UserID == "" {
				return nil, failed(apperr.New(apperr.Unauthenticated, "Sign in first."))
			}
			report := Report{Method: method, Tool: s.toolOf(req), Transport: "stdio", Client: clientFor(req, caller)}
			if exchangeFrom(ctx) != nil {
				report.Transport = "http"
			}
			ctx = viewer.NewContext(ctx, viewer.Viewer{UserID: caller.UserID, Actor: viewer.ActorMCP, Client: report.Client})
			result, err := s.answer(ctx, next, method, req, l)
			err = s.redact(ctx, method, err)
			report.Code, report.Latency = codeOf(result, err), time.Since(began)
			s.o.Observe(ctx, report)
			return result, err
		}
	}
}

func (s *Server) answer(
	ctx context.Context,
	next sdk.MethodHandler,
	method string,
	req sdk.Request,
	l *live,
) (result sdk.Result, err error) {
	// The SDK runs handlers on goroutines of its own, where a panic would end the program.
	defer func() {
		if p := recover(); p != nil {
			s.o.Logger.ErrorContext(ctx, "panic", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			result, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	caller, _ := callerFrom(ctx)
	x := exchangeFrom(ctx)
	if x == nil && caller.expired() { // over HTTP, each request's token has just been verified
		return nil, errExpired()
	}
	scope := s.scopeFor(method, req)
	if !caller.may(scope) {
		if x != nil {
			x.forbid(scope)
		}
		return nil, apperr.New(apperr.Forbidden, "The token lacks the scope %s.", scope)
	}
	if scope != "" { // what tells nothing about anybody costs nothing either
		if err := s.o.Admit(ctx); err != nil {
			return notAdmitted(method, err)
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
		greet(ctx, req, initialized)
	}
	return result, err
}

// greet ends the handshake of the older revisions. Over HTTP they have no way to hear of
// changes without a session, so none is promised, and the client's name travels with them.
func greet(ctx context.Context, req sdk.Request, result *sdk.InitializeResult) {
	x := exchangeFrom(ctx)
	if x == nil {
		return
	}
	result.Capabilities.Resources = &sdk.ResourceCapabilities{}
	if p, ok := req.GetParams().(*sdk.InitializeParams); ok && p.ClientInfo != nil {
		x.Header().Set(sessionHeader, sessionID(p.ClientInfo.Name))
	}
}

// scopeFor is the scope that a message asks for, "" for what tells nothing about anybody.
func (s *Server) scopeFor(method string, req sdk.Request) string {
	switch method {
	case methodCall:
		tool := s.o.Tools.Find(s.toolOf(req))
		if tool == nil {
			return ""
		}
		if tool.ReadOnly {
			return ScopeRead
		}
		return ScopeWrite
	case methodListResources, methodReadResource, methodSubscribe, methodPrompt, MethodListen:
		return ScopeRead
	default:
		return ""
	}
}

// toolOf is the tool that a message calls, "" when there is no such tool: logs and
// metrics take no names that callers make up.
func (s *Server) toolOf(req sdk.Request) string {
	if r, ok := req.(*sdk.CallToolRequest); ok && s.o.Tools.Find(r.Params.Name) != nil {
		return r.Params.Name
	}
	return ""
}

// clientFor is the calling program: as the message says, or the handshake of its session,
// else as the request's headers do.
func clientFor(req sdk.Request, caller Caller) string {
	if p, ok := req.GetParams().(*sdk.InitializeParams); ok && p != nil && p.ClientInfo != nil {
		return clientName(p.ClientInfo.Name)
	}
	if r, ok := req.(interface{ ClientInfo() *sdk.Implementation }); ok {
		if info := r.ClientInfo(); info != nil && info.Name != "" {
			return clientName(info.Name)
		}
	}
	return caller.client
}
