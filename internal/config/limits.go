package config

import "time"

// Limits are the limits of one user, request, operation or WebSocket.
type Limits struct {
	// RepliesPerUser is the number of a user's unfinished replies, 1 to 1000.
	RepliesPerUser int `env:"MAX_REPLIES_PER_USER" envDefault:"20"`
	// MessagesPerMinute is the number of messages that a user may send in a minute, 1 to 100000.
	MessagesPerMinute int `env:"MESSAGES_PER_MINUTE" envDefault:"60"`
	// MCPCallsPerMinute is the number of MCP calls in a minute for all of a user's clients, 1 to 100000.
	MCPCallsPerMinute int `env:"MCP_CALLS_PER_MINUTE" envDefault:"120"`
	// MutationsPerMinute is the number of changes that a user may make through GraphQL in a minute, up to 100000;
	// 0 means no limit.
	MutationsPerMinute int `env:"MUTATIONS_PER_MINUTE" envDefault:"600"`

	// TasksPerUser and ConversationsPerUser limit what a user stores, up to 10000000; 0 means no limit. Tasks in the
	// trash count.
	TasksPerUser         int `env:"MAX_TASKS_PER_USER" envDefault:"50000"`
	ConversationsPerUser int `env:"MAX_CONVERSATIONS_PER_USER" envDefault:"20000"`
	// BytesPerUser limits the texts of a user's tasks, their history, messages and tool calls, up to 1 TiB; 0 means no
	// limit.
	BytesPerUser int64 `env:"MAX_BYTES_PER_USER" envDefault:"1073741824"`
	// TrashDays is the number of days after which a task in the trash is deleted, up to 3650; 0 means never.
	TrashDays int `env:"TRASH_DAYS" envDefault:"30"`
	// PurgeInterval is the time between two removals of expired rows, 1s to 24h.
	PurgeInterval time.Duration `env:"PURGE_INTERVAL" envDefault:"1h"`

	// BodyBytes is the maximum size of a request body, 1 KiB to 16 MiB.
	BodyBytes int `env:"MAX_BODY_BYTES" envDefault:"1048576"`
	// SocketMessageBytes is the maximum size of a WebSocket message after authentication, 1 KiB to 16 MiB.
	SocketMessageBytes int `env:"MAX_SOCKET_MESSAGE_BYTES" envDefault:"262144"`
	// ResponseBytes is the maximum size of a response and of a subscription event, 64 KiB to 256 MiB.
	ResponseBytes int `env:"MAX_RESPONSE_BYTES" envDefault:"1572864"`
	// RequestTimeout is the maximum duration of a query or mutation, 1s to 5m.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"30s"`

	// QueryTokens to QueryFragments limit a document before its validation, whose cost grows faster than the
	// document: 100 to 100000 tokens, a depth of 5 to 100, and 10 to 100000 for each of the others. Fields,
	// aliases and directives are counted with fragments expanded.
	QueryTokens     int `env:"QUERY_MAX_TOKENS" envDefault:"5000"`
	QueryDepth      int `env:"QUERY_MAX_DEPTH" envDefault:"20"`
	QueryFields     int `env:"QUERY_MAX_FIELDS" envDefault:"2000"`
	QueryRootFields int `env:"QUERY_MAX_ROOT_FIELDS" envDefault:"30"`
	QueryAliases    int `env:"QUERY_MAX_ALIASES" envDefault:"200"`
	QueryDirectives int `env:"QUERY_MAX_DIRECTIVES" envDefault:"200"`
	QueryFragments  int `env:"QUERY_MAX_FRAGMENTS" envDefault:"100"`
	// QueryComplexity is the maximum estimated cost of an operation, 10 to 1000000.
	QueryComplexity int `env:"QUERY_MAX_COMPLEXITY" envDefault:"30000"`

	// RequestsPerUser is the number of a user's GraphQL requests in progress on this server, streams not included, and
	// of MCP requests, subscriptions included, 1 to 10000.
	RequestsPerUser int `env:"MAX_REQUESTS_PER_USER" envDefault:"100"`
	// SocketsPerUser is the number of a user's open WebSockets on this server, 1 to 10000.
	SocketsPerUser int `env:"MAX_SOCKETS_PER_USER" envDefault:"64"`
	// SubscriptionsPerSocket is the number of concurrent operations on a WebSocket, 1 to 1000.
	SubscriptionsPerSocket int `env:"MAX_SUBSCRIPTIONS_PER_SOCKET" envDefault:"64"`
	// SubscriptionsPerUser is the number of a user's live subscriptions on this server, 1 to 100000.
	SubscriptionsPerUser int `env:"MAX_SUBSCRIPTIONS_PER_USER" envDefault:"256"`
	// SocketInitTimeout is the time within which a client must send connection_init, 100ms to 1m.
	SocketInitTimeout time.Duration `env:"SOCKET_INIT_TIMEOUT" envDefault:"10s"`
	// SocketKeepalive is the interval between pings, 1s to 5m.
	SocketKeepalive time.Duration `env:"SOCKET_KEEPALIVE" envDefault:"25s"`
}

func (l *Limits) validate(errs *Errors) {
	validateRange(errs, "MAX_REPLIES_PER_USER", l.RepliesPerUser, 1, 1000)
	validateRange(errs, "MESSAGES_PER_MINUTE", l.MessagesPerMinute, 1, 100_000)
	validateRange(errs, "MCP_CALLS_PER_MINUTE", l.MCPCallsPerMinute, 1, 100_000)
	validateRange(errs, "MUTATIONS_PER_MINUTE", l.MutationsPerMinute, 0, 100_000)
	validateRange(errs, "MAX_TASKS_PER_USER", l.TasksPerUser, 0, 10_000_000)
	validateRange(errs, "MAX_CONVERSATIONS_PER_USER", l.ConversationsPerUser, 0, 10_000_000)
	validateRange(errs, "MAX_BYTES_PER_USER", l.BytesPerUser, 0, 1<<40)
	validateRange(errs, "TRASH_DAYS", l.TrashDays, 0, 3650)
	validateRange(errs, "PURGE_INTERVAL", l.PurgeInterval, time.Second, 24*time.Hour)
	validateRange(errs, "MAX_BODY_BYTES", l.BodyBytes, 1<<10, 16<<20)
	validateRange(errs, "MAX_SOCKET_MESSAGE_BYTES", l.SocketMessageBytes, 1<<10, 16<<20)
	validateRange(errs, "MAX_RESPONSE_BYTES", l.ResponseBytes, 64<<10, 256<<20)
	validateRange(errs, "REQUEST_TIMEOUT", l.RequestTimeout, time.Second, 5*time.Minute)
	validateRange(errs, "QUERY_MAX_TOKENS", l.QueryTokens, 100, 100_000)
	validateRange(errs, "QUERY_MAX_DEPTH", l.QueryDepth, 5, 100)
	validateRange(errs, "QUERY_MAX_FIELDS", l.QueryFields, 10, 100_000)
	validateRange(errs, "QUERY_MAX_ROOT_FIELDS", l.QueryRootFields, 10, 100_000)
	validateRange(errs, "QUERY_MAX_ALIASES", l.QueryAliases, 10, 100_000)
	validateRange(errs, "QUERY_MAX_DIRECTIVES", l.QueryDirectives, 10, 100_000)
	validateRange(errs, "QUERY_MAX_FRAGMENTS", l.QueryFragments, 10, 100_000)
	validateRange(errs, "QUERY_MAX_COMPLEXITY", l.QueryComplexity, 10, 1_000_000)
	validateRange(errs, "MAX_REQUESTS_PER_USER", l.RequestsPerUser, 1, 10_000)
	validateRange(errs, "MAX_SOCKETS_PER_USER", l.SocketsPerUser, 1, 10_000)
	validateRange(errs, "MAX_SUBSCRIPTIONS_PER_SOCKET", l.SubscriptionsPerSocket, 1, 1000)
	validateRange(errs, "MAX_SUBSCRIPTIONS_PER_USER", l.SubscriptionsPerUser, 1, 100_000)
	validateRange(errs, "SOCKET_INIT_TIMEOUT", l.SocketInitTimeout, 100*time.Millisecond, time.Minute)
	validateRange(errs, "SOCKET_KEEPALIVE", l.SocketKeepalive, time.Second, 5*time.Minute)
}
