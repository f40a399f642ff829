package config

import "time"

// Limits is what one person, request or socket may take.
type Limits struct {
	// RepliesPerUser is how many replies one person may have under way, 1 to 1000.
	RepliesPerUser int `env:"MAX_REPLIES_PER_USER" envDefault:"20"`
	// MessagesPerMinute is how many messages one person may send, 1 to 100000.
	MessagesPerMinute int `env:"MESSAGES_PER_MINUTE" envDefault:"60"`
	// MCPCallsPerMinute is how many calls one person's assistants may make over MCP, 1 to 100000.
	MCPCallsPerMinute int `env:"MCP_CALLS_PER_MINUTE" envDefault:"120"`

	// BodyBytes is the largest request body, 1 KiB to 16 MiB.
	BodyBytes int `env:"MAX_BODY_BYTES" envDefault:"1048576"`
	// SocketMessageBytes is the largest WebSocket message of somebody signed in, 1 KiB to 16 MiB.
	SocketMessageBytes int `env:"MAX_SOCKET_MESSAGE_BYTES" envDefault:"262144"`
	// ResponseBytes is the largest answer, and the largest event of a subscription, 64 KiB to 256 MiB.
	ResponseBytes int `env:"MAX_RESPONSE_BYTES" envDefault:"1572864"`
	// RequestTimeout ends a query or mutation, 1s to 5m.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"30s"`

	// QueryTokens to QueryFragments bound a document before it is validated: 100 to 100000
	// tokens, nesting of 5 to 100, and 10 to 100000 of each of the others, with fragments expanded.
	QueryTokens     int `env:"QUERY_MAX_TOKENS" envDefault:"5000"`
	QueryDepth      int `env:"QUERY_MAX_DEPTH" envDefault:"20"`
	QueryFields     int `env:"QUERY_MAX_FIELDS" envDefault:"2000"`
	QueryRootFields int `env:"QUERY_MAX_ROOT_FIELDS" envDefault:"30"`
	QueryAliases    int `env:"QUERY_MAX_ALIASES" envDefault:"200"`
	QueryDirectives int `env:"QUERY_MAX_DIRECTIVES" envDefault:"200"`
	QueryFragments  int `env:"QUERY_MAX_FRAGMENTS" envDefault:"100"`
	// QueryComplexity bounds an operation's estimated cost before it runs, 10 to 1000000.
	QueryComplexity int `env:"QUERY_MAX_COMPLEXITY" envDefault:"30000"`

	// SocketsPerUser is how many WebSockets one person may hold on this server, 1 to 10000.
	SocketsPerUser int `env:"MAX_SOCKETS_PER_USER" envDefault:"64"`
	// SubscriptionsPerSocket is how many operations one WebSocket may run at once, 1 to 1000.
	SubscriptionsPerSocket int `env:"MAX_SUBSCRIPTIONS_PER_SOCKET" envDefault:"64"`
	// SocketInitTimeout is how long a WebSocket may wait with connection_init, 100ms to 1m.
	SocketInitTimeout time.Duration `env:"SOCKET_INIT_TIMEOUT" envDefault:"10s"`
	// SocketKeepalive is the pause between pings, 1s to 5m.
	SocketKeepalive time.Duration `env:"SOCKET_KEEPALIVE" envDefault:"25s"`
}

func (l *Limits) validate(f *Errors) {
	between(f, "MAX_REPLIES_PER_USER", l.RepliesPerUser, 1, 1000)
	between(f, "MESSAGES_PER_MINUTE", l.MessagesPerMinute, 1, 100_000)
	between(f, "MCP_CALLS_PER_MINUTE", l.MCPCallsPerMinute, 1, 100_000)
	between(f, "MAX_BODY_BYTES", l.BodyBytes, 1<<10, 16<<20)
	between(f, "MAX_SOCKET_MESSAGE_BYTES", l.SocketMessageBytes, 1<<10, 16<<20)
	between(f, "MAX_RESPONSE_BYTES", l.ResponseBytes, 64<<10, 256<<20)
	between(f, "REQUEST_TIMEOUT", l.RequestTimeout, time.Second, 5*time.Minute)
	between(f, "QUERY_MAX_TOKENS", l.QueryTokens, 100, 100_000)
	between(f, "QUERY_MAX_DEPTH", l.QueryDepth, 5, 100)
	between(f, "QUERY_MAX_FIELDS", l.QueryFields, 10, 100_000)
	between(f, "QUERY_MAX_ROOT_FIELDS", l.QueryRootFields, 10, 100_000)
	between(f, "QUERY_MAX_ALIASES", l.QueryAliases, 10, 100_000)
	between(f, "QUERY_MAX_DIRECTIVES", l.QueryDirectives, 10, 100_000)
	between(f, "QUERY_MAX_FRAGMENTS", l.QueryFragments, 10, 100_000)
	between(f, "QUERY_MAX_COMPLEXITY", l.QueryComplexity, 10, 1_000_000)
	between(f, "MAX_SOCKETS_PER_USER", l.SocketsPerUser, 1, 10_000)
	between(f, "MAX_SUBSCRIPTIONS_PER_SOCKET", l.SubscriptionsPerSocket, 1, 1000)
	between(f, "SOCKET_INIT_TIMEOUT", l.SocketInitTimeout, 100*time.Millisecond, time.Minute)
	between(f, "SOCKET_KEEPALIVE", l.SocketKeepalive, time.Second, 5*time.Minute)
}
