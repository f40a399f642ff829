package graphqlhttp

import (
	"bytes"
	"encoding/json"
)

// incoming is a message from a client.
type incoming struct {
	kind    string
	id      string
	payload json.RawMessage // nil when absent or null
}

// maxID bounds operation ids in bytes; libraries use UUIDs.
const maxID = 200

// decodeMessage reads a message of either subprotocol.
func decodeMessage(text []byte) (incoming, bool) {
	var m incoming
	var kind, id json.RawMessage
	slots := map[string]*json.RawMessage{"type": &kind, "id": &id, "payload": &m.payload}
	if decodeObject(text, slots) != nil {
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

// object decodes a payload that must be an object if there is one.
func (m incoming) object() (map[string]any, bool) {
	if m.payload == nil {
		return nil, true
	}
	var payload map[string]any
	return payload, json.Unmarshal(m.payload, &payload) == nil
}

// handle acts on one message.
func (s *socket) handle(text []byte) {
	m, ok := decodeMessage(text)
	if !ok {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	switch {
	case m.kind == "connection_init":
		s.initialise(m)
	case m.kind == s.protocol.subscribe:
		s.subscribe(m)
	case m.kind == s.protocol.stop:
		s.stopOperation(m)
	case m.kind == "ping" && !s.protocol.legacy:
		s.answerPing(m)
	case m.kind == "pong" && !s.protocol.legacy:
		s.acceptPong(m)
	case m.kind == "connection_terminate" && s.protocol.legacy:
		s.closeAfterQueue(1000, "")
	default:
		s.close(CloseBadMessage, "Invalid message received")
	}
}

// answerPing takes the token that a ping may bring, or answers it with its own payload.
func (s *socket) answerPing(m incoming) {
	payload, ok := m.object()
	if !ok {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	if token := payloadToken(payload); token != "" {
		s.renew(token)
		return
	}
	s.send(nil, func(b *bytes.Buffer) {
		if m.payload == nil {
			writeMessage(b, "pong", "", nil)
			return
		}
		writeMessage(b, "pong", "", func(b *bytes.Buffer) { b.Write(m.payload) })
	})
}

func (s *socket) acceptPong(m incoming) {
	payload, ok := m.object()
	if !ok {
		s.close(CloseBadMessage, "Invalid message received")
		return
	}
	if token := payloadToken(payload); token != "" {
		s.renew(token)
	}
}
