package ws

import (
	"bytes"
	"encoding/json"

	"errand/internal/graphqlhttp/exec"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// protocol holds the message types of a WebSocket subprotocol.
type protocol struct {
	name      string
	transport string // in reports
	subscribe string // the client starts an operation
	stop      string // the client ends one
	next      string // the server sends a response
	legacy    bool
}

var (
	// transportWS is graphql-transport-ws, the subprotocol of the graphql-ws library.
	transportWS = &protocol{
		name:      "graphql-transport-ws",
		transport: "websocket",
		subscribe: "subscribe",
		stop:      "complete",
		next:      "next",
	}
	// legacyWS is graphql-ws, the subprotocol of the older subscriptions-transport-ws library.
	legacyWS = &protocol{
		name:      "graphql-ws",
		transport: "websocket-legacy",
		subscribe: "start",
		stop:      "stop",
		next:      "data",
		legacy:    true,
	}
)

// selectProtocol returns the newest subprotocol that the client offers, in any order; nil when none is known.
func selectProtocol(offered []string) *protocol {
	for _, p := range []*protocol{transportWS, legacyWS} {
		for _, name := range offered {
			if name == p.name {
				return p
			}
		}
	}
	return nil
}

// incoming is a message of a client.
type incoming struct {
	kind    string
	id      string
	payload json.RawMessage // nil when absent or null
}

// maxID is the maximum length of operation IDs in bytes; libraries use UUIDs.
const maxID = 200

// decodeMessage decodes a message of either subprotocol; false when it is invalid.
func decodeMessage(text []byte) (incoming, bool) {
	var m incoming
	var kind, id json.RawMessage
	members := map[string]*json.RawMessage{"type": &kind, "id": &id, "payload": &m.payload}
	if exec.DecodeMembers(text, members) != nil {
		return m, false
	}
	if kind == nil || json.Unmarshal(kind, &m.kind) != nil {
		return m, false
	}
	if id != nil && json.Unmarshal(id, &m.id) != nil {
		return m, false
	}
	return m, len(m.id) <= maxID
}

// object decodes the payload, which must be an object when it is present.
func (m incoming) object() (map[string]any, bool) {
	if m.payload == nil {
		return nil, true
	}
	var payload map[string]any
	return payload, json.Unmarshal(m.payload, &payload) == nil
}

// writeMessage encodes a message with an optional ID and an optional payload.
func writeMessage(b *bytes.Buffer, kind, id string, payload func(*bytes.Buffer)) {
	b.WriteString(`{"type":"` + kind + `"`)
	if id != "" {
		b.WriteString(`,"id":`)
		exec.WriteJSON(b, id)
	}
	if payload != nil {
		b.WriteString(`,"payload":`)
		payload(b)
	}
	b.WriteByte('}')
}

func (p *protocol) writeNext(b *bytes.Buffer, id string, r exec.Result) {
	writeMessage(b, p.next, id, r.WriteTo)
}

// writeError encodes the message that ends an operation that was not executed. The legacy protocol carries one error
// only.
func (p *protocol) writeError(b *bytes.Buffer, id string, errs gqlerror.List) {
	writeMessage(b, "error", id, func(b *bytes.Buffer) {
		if p.legacy {
			exec.WriteJSON(b, errs[0])
			return
		}
		exec.WriteJSON(b, errs)
	})
}
