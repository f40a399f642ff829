package testclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"errand/internal/testclient"

	"github.com/gorilla/websocket"
)

// Do returns GraphQL errors in the response; its own error means that no response arrived.
func ExampleClient_Do() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"errors":[{"message":"title is empty","extensions":{"code":"BAD_USER_INPUT","field":"title"}}]}`)
	}))
	defer server.Close()

	client := testclient.NewWithTransport(&http.Transport{}, server.URL, "token")
	response, err := client.Do(context.Background(),
		`mutation ($in: CreateTaskInput!) { createTask(input: $in) { task { id } } }`,
		testclient.Vars{"in": testclient.Vars{"title": ""}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.Status, response.ErrorCode())
	// Output:
	// POST /graphql Bearer token
	// 200 BAD_USER_INPUT title
}

// A Stream rebuilds a reply from its deltas. The second delta here starts before the end of the text
// received so far: the server retried the reply, and the text from that offset on is replaced.
func ExampleStream() {
	server := httptest.NewServer(streamOf(
		`{"__typename":"MessageAdded","cursor":"1",
		"message":{"id":"m1","role":"ASSISTANT","content":"","status":"STREAMING"}}`,
		`{"__typename":"MessageDelta","cursor":"2","messageId":"m1","offset":0,"text":"I added the tusk"}`,
		`{"__typename":"MessageDelta","cursor":"3","messageId":"m1","offset":12,"text":"task."}`,
		`{"__typename":"MessageFinished","cursor":"4",
		"message":{"id":"m1","role":"ASSISTANT","content":"I added the task.","status":"COMPLETED"}}`,
	))
	defer server.Close()

	ctx := context.Background()
	socket, err := testclient.NewWithTransport(&http.Transport{}, server.URL, "token").TryDial(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.Close()
	stream, err := socket.TryFollow("conv_1", "")
	for err == nil {
		var event testclient.Event
		if event, err = stream.TryNextEvent(ctx); err == nil {
			fmt.Printf("%s %q\n", event.Kind, stream.Text("m1"))
		}
	}
	fmt.Println(err, stream.Rewinds)
	// Output:
	// MessageAdded ""
	// MessageDelta "I added the tusk"
	// MessageDelta "I added the task."
	// MessageFinished "I added the task."
	// EOF 1
}

// streamOf answers every subscription with the given events and completes it.
func streamOf(events ...string) http.Handler {
	type frame struct {
		ID      string          `json:"id,omitempty"`
		Type    string          `json:"type"`
		Payload json.RawMessage `json:"payload,omitempty"`
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{Subprotocols: []string{"graphql-transport-ws"}}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			var f frame
			if conn.ReadJSON(&f) != nil {
				return
			}
			switch f.Type {
			case "connection_init":
				_ = conn.WriteJSON(frame{Type: "connection_ack"})
			case "subscribe":
				for _, event := range events {
					payload := json.RawMessage(`{"data":{"messageStream":` + event + `}}`)
					_ = conn.WriteJSON(frame{ID: f.ID, Type: "next", Payload: payload})
				}
				_ = conn.WriteJSON(frame{ID: f.ID, Type: "complete"})
			}
		}
	})
}
