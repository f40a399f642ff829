package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"errand/internal/testclient"
)

const (
	sendDoc = `mutation ($in: SendMessageInput!) { sendMessage(input: $in) {
		conversation { id } userMessage { id position content } assistantMessage { id position } } }`
	cancelDoc = `mutation ($id: ID!) { cancelReply(messageId: $id) { message { id } } }`
	// maxUnfinishedTurns is the largest number of unfinished turns in any conversation. The conversations' limits
	// are spread from 1 to this number.
	maxUnfinishedTurns = 3
)

// conversation drives one conversation: it sends messages as a user, and its subscribers follow the replies.
type conversation struct {
	*environment
	name   string
	user   string
	random *rand.Rand
	// maxUnfinished is the number of unfinished turns at which the next message waits.
	maxUnfinished int

	mu    sync.Mutex
	id    string
	turns []turn
	// changed is closed and replaced when a subscriber has received the end of a turn.
	changed     chan struct{}
	subscribers []*subscriber
}

// turn is a turn that a replica has accepted.
type turn struct {
	script
	reply     string // ID of the assistant message
	position  int
	cancelled bool // cancelReply was or will be sent
}

// run sends messages until ctx ends.
func (c *conversation) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		t, ok := c.sendMessage(newScript(c.random, fmt.Sprintf("%s-t%d", c.name, n)))
		if !ok {
			return
		}
		if n == 0 {
			c.startSubscribers()
		}
		if c.random.IntN(12) == 0 {
			c.cancel(ctx, t)
		}
		c.waitUntil(ctx, func() bool { return c.unfinishedTurns() < c.maxUnfinished })
		sleep(ctx, time.Duration(c.random.IntN(500))*time.Millisecond)
	}
}

// sendMessage sends a message until a replica has accepted it. It does not stop when the fault injection ends, because
// the checks need to know whether the last message was accepted.
func (c *conversation) sendMessage(s script) (turn, bool) {
	in := testclient.Vars{"content": s.message(), "idempotencyKey": s.turn}
	if c.id != "" {
		in["conversationId"] = c.id
	}
	var data struct {
		SendMessage struct {
			Conversation     struct{ ID string }
			UserMessage      testclient.Message
			AssistantMessage testclient.Message
		}
	}
	if !c.doWithRetry(sendDoc, testclient.Vars{"in": in}, &data) {
		return turn{}, false
	}
	got := data.SendMessage
	t := turn{script: s, reply: got.AssistantMessage.ID, position: got.AssistantMessage.Position}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.id != "" && c.id != got.Conversation.ID {
		c.violations.add("turn %s was added to another conversation", s.turn)
	}
	if want := 2*len(c.turns) + 2; t.position != want || got.UserMessage.Content != s.message() {
		c.violations.add("turn %s has position %d, want %d, or another content", s.turn, t.position, want)
	}
	if c.id == "" { // written once: subscribers, started after the first turn, read it without the lock
		c.id = got.Conversation.ID
	}
	c.turns = append(c.turns, t)
	return t, true
}

// cancel cancels the reply after a random delay.
func (c *conversation) cancel(ctx context.Context, t turn) {
	sleep(ctx, time.Duration(c.random.IntN(1500))*time.Millisecond)
	c.mu.Lock()
	c.turns[len(c.turns)-1].cancelled = true
	c.mu.Unlock()
	c.doWithRetry(cancelDoc, testclient.Vars{"id": t.reply}, nil)
}

// doWithRetry sends an operation of the user until it succeeds.
func (c *conversation) doWithRetry(document string, vars testclient.Vars, into any) bool {
	return request(c.environment, c.user, document, vars, into, nil)
}

// request sends an operation of a user until it succeeds, for at most a minute. Errors other than retryable ones are
// violations, except those whose code is expected: they end the request too. It reports success.
func request(
	e *environment, user, document string, vars testclient.Vars, into any, expected func(code string) bool,
) bool {
	ctx, cancel := context.WithTimeout(e.clientCtx, time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		response, err := e.client(user).Do(ctx, document, vars)
		switch {
		case err != nil || response.Status >= 500:
			e.count("requests without a response")
		case response.ErrorCode() == "SERVICE_UNAVAILABLE":
			e.count("requests with SERVICE_UNAVAILABLE")
		case len(response.Errors) > 0 && expected != nil && expected(response.ErrorCode()):
			return true
		case len(response.Errors) > 0:
			e.violations.add("%s: %s", user, response.Raw)
			return false
		default:
			if into != nil {
				if err := json.Unmarshal(response.Data, into); err != nil {
					e.violations.add("%s: %v", user, err)
					return false
				}
			}
			return true
		}
		sleep(ctx, 100*time.Millisecond)
	}
	if e.clientCtx.Err() == nil {
		e.violations.add("%s: no replica responded within a minute", user)
	}
	return false
}

// startSubscribers starts the subscribers and waits until each has received an event.
func (c *conversation) startSubscribers() {
	for i := range subscribersPerConversation {
		c.subscribers = append(c.subscribers, newSubscriber(c, i))
	}
	for _, s := range c.subscribers {
		c.subscriberGroup.Go(s.run)
	}
	for _, s := range c.subscribers {
		select {
		case <-s.started:
		case <-c.clientCtx.Done():
		}
	}
}

// unfinishedTurns returns the number of turns whose end the slowest subscriber has not received.
func (c *conversation) unfinishedTurns() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := 0
	for _, s := range c.subscribers {
		most = max(most, len(c.turns)-len(s.finished))
	}
	return most
}

// waitUntil waits until ok returns true or ctx ends, and reports which.
func (c *conversation) waitUntil(ctx context.Context, ok func() bool) bool {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// notify wakes the callers of waitUntil. The caller holds mu.
func (c *conversation) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}
