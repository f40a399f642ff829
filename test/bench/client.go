package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"
)

// client is a user of one Errand server.
type client struct {
	server *server
	token  string
}

func (b *bench) newClient(s *server, subject string) (*client, error) {
	token, err := b.keys.sign(subject, false)
	return &client{s, token}, err
}

// createConversation creates a conversation and returns its ID.
func (c *client) createConversation(ctx context.Context) (string, error) {
	var data struct {
		CreateConversation struct{ Conversation struct{ ID string } }
	}
	err := c.graphql(ctx, `mutation{createConversation{conversation{id}}}`, nil, &data)
	return data.CreateConversation.Conversation.ID, err
}

// newestConversation returns the ID of the user's newest conversation.
func (c *client) newestConversation(ctx context.Context) (string, error) {
	var data struct {
		Conversations struct{ Nodes []struct{ ID string } }
	}
	if err := c.graphql(ctx, `{conversations(first:1){nodes{id}}}`, nil, &data); err != nil {
		return "", err
	}
	if len(data.Conversations.Nodes) != 1 {
		return "", errors.New("no conversation")
	}
	return data.Conversations.Nodes[0].ID, nil
}

func (c *client) send(ctx context.Context, conversation, content string) error {
	return c.graphql(
		ctx,
		`mutation($c:ID!,$t:String!){sendMessage(input:{conversationId:$c,content:$t}){assistantMessage{id}}}`,
		map[string]any{"c": conversation, "t": content},
		nil,
	)
}

// graphql executes an operation and stores its data in out, unless out is nil.
func (c *client) graphql(ctx context.Context, query string, variables map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(
		ctx,
		http.MethodPost,
		"http://"+c.server.address+"/graphql",
		bytes.NewReader(body),
	)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var response struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&response); err != nil {
		return err
	}
	if len(response.Errors) > 0 {
		return errors.New(response.Errors[0].Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(response.Data, out)
}

// subscribe subscribes to a conversation on a new socket and waits for the first event.
func (c *client) subscribe(ctx context.Context, conversation string) (*subscriber, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, ReadBufferSize: 1024, WriteBufferSize: 512}
	header := http.Header{"Authorization": {"Bearer " + c.token}}
	conn, resp, err := dialer.DialContext(ctx, "ws://"+c.server.address+"/graphql", header)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	resp.Body.Close()
	s := &subscriber{conn: conn}
	if err := s.write("connection_init", nil); err != nil {
		return nil, err
	}
	if _, err := s.read(); err != nil { // connection_ack
		return nil, err
	}
	variables := map[string]any{"c": conversation}
	return s, s.write("subscribe", map[string]any{"query": streamDocument, "variables": variables})
}
