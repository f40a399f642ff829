package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

// slowConnections is the number of connections of one slow-body fault.
const slowConnections = 40

// slowBodies opens connections to one replica that send a request without its body, a request without the end of its
// headers, or nothing, and keeps them open for up to three seconds. It passes the balancer, whose sockets it would take
// from the clients. The replica must serve the clients meanwhile, and exit with code 0 when it is terminated.
func (f *injector) slowBodies(ctx context.Context) {
	addr, hold := f.randomReplica().addr, time.Second+f.randomDuration(2*time.Second)
	f.recovering.Go(func() {
		var conns []net.Conn
		for i := range slowConnections {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				break // the replica is being restarted
			}
			conns = append(conns, conn)
			_, _ = fmt.Fprint(conn, slowRequest(i))
		}
		sleep(ctx, hold)
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
}

// slowRequest returns the beginning of a request.
func slowRequest(i int) string {
	path := []string{"/graphql", "/livez", "/mcp", "/dev/sign-in", "/health"}[i%5]
	head := "POST " + path + " HTTP/1.1\r\nHost: errand\r\nContent-Type: application/json\r\n"
	switch i % 3 {
	case 0:
		return head + "Content-Length: 1000\r\n\r\n{"
	case 1:
		return head
	default:
		return ""
	}
}
