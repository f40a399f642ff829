package server

import (
	"cmp"
	"net/url"
	"strings"

	"errand/ent/enum"
	"errand/internal/auth"
	"errand/internal/chat"
	"errand/internal/config"
	"errand/internal/idempotency"
	"errand/internal/page"
	"errand/internal/serverinfo"
	"errand/internal/signin/httpapi"
	"errand/internal/signin/oidc"
	"errand/internal/task"
)

// info describes the server to its clients.
func (s *Server) info(devSignIn bool) *serverinfo.Info {
	version := cmp.Or(s.Config.Version, "devel")
	provider, model, named := strings.Cut(s.ModelName(), "/")
	if !named {
		model = provider
	}
	return &serverinfo.Info{
		Version: &version,
		Model:   &serverinfo.Model{Provider: provider, Name: model, LeavesMachine: s.Config.LLM.LeavesMachine()},
		Auth:    serverinfo.Auth{Methods: authMethods(s.Config, devSignIn)},

		SetUpOpen: s.setUpOpen(),

		Limits: clientLimits(s.Config.Limits),
	}
}

func authMethods(cfg config.Config, devSignIn bool) []*serverinfo.AuthMethod {
	if devSignIn {
		path := cfg.Server.PathPrefix() + auth.DevSignInPath
		return []*serverinfo.AuthMethod{{Kind: enum.SignInDevelopment, Path: &path}}
	}
	var methods []*serverinfo.AuthMethod
	if cfg.Auth.OIDC() {
		path := cfg.Server.PathPrefix() + oidc.SignInPath
		methods = append(methods, &serverinfo.AuthMethod{
			Kind:   enum.SignInOIDC,
			Issuer: &cfg.Auth.OIDCIssuer,
			Path:   &path,
		})
	}
	if cfg.LocalAccounts() {
		path := cfg.Server.PathPrefix() + httpapi.Path
		methods = append(methods, &serverinfo.AuthMethod{Kind: enum.SignInLocal, Path: &path})
	}
	if cfg.Auth.VerifiesOthers() {
		method := &serverinfo.AuthMethod{Kind: enum.SignInIdentityProvider}
		// As in the metadata of /mcp, an issuer that is not a URL does not help to find it.
		if u, err := url.Parse(cfg.Auth.Issuer); err == nil && u.Host != "" && u.User == nil {
			method.Issuer = &cfg.Auth.Issuer
		}
		if api := cfg.Auth.BetterAuth(); api != "" {
			method.BetterAuth = &api
		}
		methods = append(methods, method)
	}
	return methods
}

func clientLimits(l config.Limits) *serverinfo.Limits {
	return &serverinfo.Limits{
		MessageLength:           chat.MaxContent,
		TaskTitleLength:         task.MaxTitle,
		TaskDescriptionLength:   task.MaxDescription,
		TaskLabels:              task.MaxLabels,
		TaskLabelLength:         task.MaxLabel,
		ConversationTitleLength: chat.MaxTitle,
		IdempotencyKeyLength:    idempotency.MaxKey,
		PageSize:                page.MaxSize,
		RequestBytes:            l.BodyBytes,
		SocketMessageBytes:      l.SocketMessageBytes,
		ResponseBytes:           l.ResponseBytes,
		QueryCost:               l.QueryComplexity,
		SocketsPerUser:          l.SocketsPerUser,
		SubscriptionsPerSocket:  l.SubscriptionsPerSocket,
		SubscriptionsPerUser:    l.SubscriptionsPerUser,
		MessagesPerMinute:       l.MessagesPerMinute,
		RepliesPerUser:          l.RepliesPerUser,
		MutationsPerMinute:      unlessZero(l.MutationsPerMinute),
		TasksPerUser:            unlessZero(l.TasksPerUser),
		ConversationsPerUser:    unlessZero(l.ConversationsPerUser),
	}
}

func unlessZero(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
