package ws

import (
	"time"

	"errand/internal/graphqlhttp/connlimit"
	"errand/internal/graphqlhttp/exec"
)

// Options configure a Server. Fields that are zero have the defaults documented beside them, which are those of the
// environment variables in .env.example where there is one.
type Options struct {
	// MessageBytes is the maximum size of a message of an authenticated client: MAX_SOCKET_MESSAGE_BYTES, 256 KiB.
	MessageBytes int64
	// QueueBytes is the size of a socket's write queue above which it takes no more results. 256 KiB.
	QueueBytes int
	// OperationsPerSocket is the maximum number of concurrent operations: MAX_SUBSCRIPTIONS_PER_SOCKET, 64.
	OperationsPerSocket int
	// SocketsPerUser is the maximum number of a user's open sockets: MAX_SOCKETS_PER_USER, 64.
	SocketsPerUser int
	// Sockets is the maximum number of open sockets. At most a tenth of them may be before connection_init. 20,000.
	Sockets int

	// InitTimeout is the time within which a client must send connection_init: SOCKET_INIT_TIMEOUT, 10 s.
	InitTimeout time.Duration
	// KeepAlive is the interval between pings: SOCKET_KEEPALIVE, 25 s. A socket that receives nothing for two and a
	// half intervals is dropped.
	KeepAlive time.Duration
	// WriteTimeout is the maximum duration of one write: WRITE_TIMEOUT, 15 s.
	WriteTimeout time.Duration
	// SlowReaderTimeout is how long a write queue may stay full before its socket is closed. 10 s.
	SlowReaderTimeout time.Duration
	// CloseTimeout is how long a client may take to read and answer a close frame. 3 s.
	CloseTimeout time.Duration
	// TokenNotice is how long before its token expires a client is notified. 60 s.
	TokenNotice time.Duration
}

// WithDefaults returns o with the documented defaults.
func (o Options) WithDefaults() Options {
	exec.SetDefault(&o.MessageBytes, 256<<10)
	exec.SetDefault(&o.QueueBytes, 256<<10)
	exec.SetDefault(&o.OperationsPerSocket, 64)
	exec.SetDefault(&o.SocketsPerUser, 64)
	exec.SetDefault(&o.Sockets, 20000)
	exec.SetDefault(&o.InitTimeout, 10*time.Second)
	exec.SetDefault(&o.KeepAlive, 25*time.Second)
	exec.SetDefault(&o.WriteTimeout, 15*time.Second)
	exec.SetDefault(&o.SlowReaderTimeout, 10*time.Second)
	exec.SetDefault(&o.CloseTimeout, 3*time.Second)
	exec.SetDefault(&o.TokenNotice, time.Minute)
	return o
}

// shared is what the sockets of a server have in common.
type shared struct {
	engine  *exec.Engine
	options Options
	limiter *connlimit.Limiter
	// starting limits the sockets before the end of connection_init, which anyone may open.
	starting *connlimit.Limiter
}
