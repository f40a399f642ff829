package ws

import (
	"bytes"
	"unicode/utf8"

	"errand/internal/graphqlhttp/exec"

	"github.com/gorilla/websocket"
)

// messageReader reads the messages of a socket and dispatches them.
type messageReader struct{ *socket }

// run reads until the connection ends. When the socket is closing it only waits for the client's close frame, for
// CloseTimeout at most.
func (r messageReader) run() {
	for {
		kind, body, err := r.read()
		if err != nil {
			r.readFailed(err)
			return
		}
		if !r.isClosing() {
			r.extendReadDeadline()
			switch {
			case kind != websocket.TextMessage:
				r.close(CloseBadMessage.withText("Messages must be text"))
			case !utf8.Valid(body.Bytes()):
				r.close(CloseInvalidText)
			case r.waitForSpace(r.ctx): // a client that does not read is not read from either
				r.dispatchElsewhere(body.Bytes())
			}
		}
		exec.PutBuffer(body)
	}
}

func (r messageReader) read() (kind int, body *bytes.Buffer, err error) {
	kind, reader, err := r.conn.NextReader()
	if err != nil {
		return 0, nil, err
	}
	body = exec.GetBuffer()
	if _, err := body.ReadFrom(reader); err != nil {
		exec.PutBuffer(body)
		return 0, nil, err
	}
	return kind, body, nil
}

// dispatchElsewhere dispatches a message on a goroutine of its own and waits for it. Parsing and validation need a
// large stack, which the reader would keep for as long as the socket is idle.
func (r messageReader) dispatchElsewhere(text []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.dispatch(text)
	}()
	<-done
}

func (r messageReader) dispatch(text []byte) {
	m, ok := decodeMessage(text)
	if !ok {
		r.close(CloseBadMessage)
		return
	}
	switch {
	case m.kind == "connection_init":
		initialisation(r).run(m)
	case m.kind == r.protocol.subscribe:
		operationStarter(r).start(m)
	case m.kind == r.protocol.stop:
		operationStarter(r).stop(m)
	case m.kind == "ping" && !r.protocol.legacy:
		r.answerPing(m)
	case m.kind == "pong" && !r.protocol.legacy:
		r.acceptPong(m)
	case m.kind == "connection_terminate" && r.protocol.legacy:
		r.closeAfterQueue(CloseTerminated)
	default:
		r.close(CloseBadMessage)
	}
}

// answerPing renews the token when the ping carries one, and otherwise answers it with a pong of the same payload.
func (r messageReader) answerPing(m incoming) {
	payload, ok := m.object()
	if !ok {
		r.close(CloseBadMessage)
		return
	}
	if token := payloadToken(payload); token != "" {
		tokenRenewal(r).renew(token)
		return
	}
	r.enqueue(nil, func(b *bytes.Buffer) {
		if m.payload == nil {
			writeMessage(b, "pong", "", nil)
			return
		}
		writeMessage(b, "pong", "", func(b *bytes.Buffer) { b.Write(m.payload) })
	})
}

// acceptPong renews the token when the pong carries one.
func (r messageReader) acceptPong(m incoming) {
	payload, ok := m.object()
	if !ok {
		r.close(CloseBadMessage)
		return
	}
	if token := payloadToken(payload); token != "" {
		tokenRenewal(r).renew(token)
	}
}
