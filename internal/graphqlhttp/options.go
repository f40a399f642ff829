package graphqlhttp

import (
	"time"

	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/ws"
)

// Options configure a Handler. Fields that are zero have the defaults documented beside them, which are those of the
// environment variables in .env.example where there is one.
type Options struct {
	// Playground is the URL, relative to the handler's, to which a browser is redirected that opens the handler's
	// address as a page. "" redirects none.
	Playground string

	// BodyBytes is the maximum size of a request body: MAX_BODY_BYTES, 1 MiB.
	BodyBytes int64
	// AnonymousBodyBytes is the maximum size of the body of a request without a token, if BodyBytes is not less. Any
	// number of clients may send one. 16 KiB.
	AnonymousBodyBytes int64
	// WriteTimeout is the maximum duration of one write of an SSE or multipart stream: WRITE_TIMEOUT, 15 s.
	WriteTimeout time.Duration
	// KeepAlive is the interval between SSE comments and multipart heartbeats: SOCKET_KEEPALIVE, 25 s.
	KeepAlive time.Duration
	// StreamsPerUser is the maximum number of a user's open SSE and multipart streams: MAX_SOCKETS_PER_USER, 64.
	StreamsPerUser int
	// RequestsPerUser is the maximum number of a user's requests in progress other than streams: MAX_REQUESTS_PER_USER,
	// 100.
	RequestsPerUser int
	// CompressBytes is the minimum size of a response that is compressed. 1400.
	CompressBytes int

	// Socket configures WebSockets.
	Socket ws.Options
}

// WithDefaults returns o with the documented defaults.
func (o Options) WithDefaults() Options {
	exec.SetDefault(&o.BodyBytes, 1<<20)
	exec.SetDefault(&o.AnonymousBodyBytes, 16<<10)
	exec.SetDefault(&o.WriteTimeout, 15*time.Second)
	exec.SetDefault(&o.KeepAlive, 25*time.Second)
	exec.SetDefault(&o.StreamsPerUser, 64)
	exec.SetDefault(&o.RequestsPerUser, 100)
	exec.SetDefault(&o.CompressBytes, 1400)
	o.Socket = o.Socket.WithDefaults()
	return o
}
