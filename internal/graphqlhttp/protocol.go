package graphqlhttp

import (
	"bytes"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// protocol names the messages of a WebSocket subprotocol.
type protocol struct {
	name      string
	transport string // in reports
	subscribe string // client starts an operation
	stop      string // client ends one
	next      string // server sends a response
	legacy    bool
}

var (
	// transportWS is graphql-transport-ws, spoken by the graphql-ws library.
	transportWS = &protocol{
		name:      "graphql-transport-ws",
		transport: "websocket",
		subscribe: "subscribe",
		stop:      "complete",
		next:      "next",
	}
	// legacyWS is the subprotocol "graphql-ws" of the library subscriptions-transport-ws.
	legacyWS = &protocol{
		name:      "graphql-ws",
		transport: "websocket-legacy",
		subscribe: "start",
		stop:      "stop",
		next:      "data",
		legacy:    true,
	}
)

// chooseProtocol prefers the current protocol, whatever order the client offers.
func chooseProtocol(offered []string) *protocol {
	for _, p := range []*protocol{transportWS, legacyWS} {
		for _, name := range offered {
			if name == p.name {
				return p
			}
		}
	}
	return nil
}

// writeMessage writes a message with an optional id and an optional payload.
func writeMessage(b *bytes.Buffer, kind, id string, payload func(*bytes.Buffer)) {
	b.WriteString(`{"type":"` + kind + `"`)
	if id != "" {
		b.WriteString(`,"id":`)
		writeJSON(b, id)
	}
	if payload != nil {
		b.WriteString(`,"payload":`)
		payload(b)
	}
	b.WriteByte('}')
}

func (p *protocol) writeNext(b *bytes.Buffer, id string, r reply) {
	writeMessage(b, p.next, id, r.write)
}

// writeError ends an operation that was not executed. The legacy protocol has room for
// one error only.
func (p *protocol) writeError(b *bytes.Buffer, id string, errs gqlerror.List) {
	writeMessage(b, "error", id, func(b *bytes.Buffer) {
		if p.legacy {
			writeJSON(b, errs[0])
			return
		}
		writeJSON(b, errs)
	})
}
