// Package graph implements the GraphQL API: the SDL (*.graphqls), resolvers that delegate to the domain services,
// dataloaders, and the one mapping from errors to GraphQL errors.
//
// gqlgen generates graph/generated and graph/model from the SDL and gqlgen.yml. Package fastjson describes how
// fields without a resolver are written.
package graph

import (
	"errand/internal/account"
	"errand/internal/apitoken"
	"errand/internal/chat"
	"errand/internal/serverinfo"
	"errand/internal/stream"
	"errand/internal/task"
	"errand/internal/usage"
)

//go:generate go run -mod=mod ./gen

// Resolver resolves the fields that are not read directly from a Go value. All services are required.
type Resolver struct {
	Accounts *account.Service
	Tokens   *apitoken.Service
	Tasks    *task.Service
	Chat     *chat.Service
	Usage    *usage.Ledger
	Hub      *stream.Hub
	Info     *serverinfo.Info
}
