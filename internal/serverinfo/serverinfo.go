// Package serverinfo describes a server to its clients. It contains no secrets and no addresses of other servers but
// the issuer of tokens.
package serverinfo

import (
	"context"

	"errand/ent/enum"
	"errand/internal/viewer"
)

// Info describes a server. It is immutable.
type Info struct {
	Auth Auth
	// SetUpOpen reports whether no owner of the built-in accounts exists; nil if there are no built-in accounts.
	SetUpOpen func(context.Context) (bool, error)
	// Version, Model and Limits are nil for callers who are not signed in.
	Version *string
	Model   *Model
	Limits  *Limits
}

// For returns what the caller of ctx may see: everything if signed in, with any scope, otherwise Auth only.
func (i *Info) For(ctx context.Context) (*Info, error) {
	auth := i.Auth
	if i.SetUpOpen != nil {
		var err error
		if auth.SetUpOpen, err = i.SetUpOpen(ctx); err != nil {
			return nil, err
		}
	}
	if _, ok := viewer.FromContext(ctx); !ok {
		return &Info{Auth: auth}, nil
	}
	return &Info{Auth: auth, Version: i.Version, Model: i.Model, Limits: i.Limits}, nil
}

// Auth is how users sign in.
type Auth struct {
	Methods []*AuthMethod
	// SetUpOpen is set while no owner of the built-in accounts exists.
	SetUpOpen bool
}

// AuthMethod is a way to sign in.
type AuthMethod struct {
	Kind enum.SignIn
	// Issuer is the URL of the identity provider, nil if it is not known.
	Issuer *string
	// Path is the path of the sign-in on this server, nil if it is elsewhere.
	Path *string
	// BetterAuth is the URL of the API of the identity provider, nil if it is not a Better Auth server.
	BetterAuth *string
}

// Model is the model that writes replies.
type Model struct {
	Provider string
	Name     string
	// LeavesMachine is set if conversations are sent to another host.
	LeavesMachine bool
}

// Limits are limits that clients can check before they send. Lengths are in characters.
type Limits struct {
	MessageLength           int
	TaskTitleLength         int
	TaskDescriptionLength   int
	TaskLabels              int
	TaskLabelLength         int
	ConversationTitleLength int
	IdempotencyKeyLength    int
	PageSize                int
	RequestBytes            int
	SocketMessageBytes      int
	ResponseBytes           int
	QueryCost               int
	SocketsPerUser          int
	SubscriptionsPerSocket  int
	SubscriptionsPerUser    int
	MessagesPerMinute       int
	RepliesPerUser          int
	// MutationsPerMinute, TasksPerUser and ConversationsPerUser are nil if there is no limit.
	MutationsPerMinute   *int
	TasksPerUser         *int
	ConversationsPerUser *int
}
