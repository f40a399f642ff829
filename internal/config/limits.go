package config

import "time"

// Limits is what one person, request or socket may take.
type Limits struct {
	// RepliesPerUser is how many replies one person may have under way, 1 to 1000.
	RepliesPerUser int `env:"MAX_REPLIES_PER_USER" envDefault:"20"`
	// MessagesPerMinute is how many messages one person may send, 1 to 100000.
	MessagesPerMinute int `env:"MESSAGES_PER_MINUTE" envDefault:"60"`

	// BodyBytes is the largest request body and the largest WebSocket message, 1 KiB to 16 MiB.
	BodyBytes int `env:"MAX_BODY_BYTES" envDefault:"1048576"`
	// RequestTimeout ends a query or mutation, 1s to 5m.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"30s"`

	// QueryTokens, QueryDepth and QueryComplexity bound one operation before it is
	// validated or run: 100 to 100000, 5 to 100 and 10 to 1000000.
	QueryTokens     int `env:"QUERY_MAX_TOKENS" envDefault:"5000"`
	QueryDepth      int `env:"QUERY_MAX_DEPTH" envDefault:"20"`
	QueryComplexity int `env:"QUERY_MAX_COMPLEXITY" envDefault:"50000"`

	// SocketsPerUser is how many WebSockets one person may hold on this server, 1 to 10000.
	SocketsPerUser int `env:"MAX_SOCKETS_PER_USER" envDefault:"64"`
	// SubscriptionsPerSocket is how many operations one WebSocket may run at once, 1 to 1000.
	SubscriptionsPerSocket int `env:"MAX_SUBSCRIPTIONS_PER_SOCKET" envDefault:"64"`
	// SocketInitTimeout is how long a WebSocket may wait with connection_init, 100ms to 1m.
	SocketInitTimeout time.Duration `env:"SOCKET_INIT_TIMEOUT" envDefault:"10s"`
	// SocketKeepalive is the pause between pings, 1s to 5m.
	SocketKeepalive time.Duration `env:"SOCKET_KEEPALIVE" envDefault:"25s"`
}

func (l *Limits) validate(f *Faults) {
	between(f, "MAX_REPLIES_PER_USER", l.RepliesPerUser, 1, 1000)
	between(f, "MESSAGES_PER_MINUTE", l.MessagesPerMinute, 1, 100_000)
	between(f, "MAX_BODY_BYTES", l.BodyBytes, 1<<10, 16<<20)
	between(f, "REQUEST_TIMEOUT", l.RequestTimeout, time.Second, 5*time.Minute)
	between(f, "QUERY_MAX_TOKENS", l.QueryTokens, 100, 100_000)
	between(f, "QUERY_MAX_DEPTH", l.QueryDepth, 5, 100)
	between(f, "QUERY_MAX_COMPLEXITY", l.QueryComplexity, 10, 1_000_000)
	between(f, "MAX_SOCKETS_PER_USER", l.SocketsPerUser, 1, 10_000)
	between(f, "MAX_SUBSCRIPTIONS_PER_SOCKET", l.SubscriptionsPerSocket, 1, 1000)
	between(f, "SOCKET_INIT_TIMEOUT", l.SocketInitTimeout, 100*time.Millisecond, time.Minute)
	between(f, "SOCKET_KEEPALIVE", l.SocketKeepalive, time.Second, 5*time.Minute)
}
