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
	// mostWaiting is how many turns of a conversation may be unfinished before its person waits;
	// some people are more patient than others.
	mostWaiting = 3
)

// talk is one conversation: a person who says things, and clients that watch.
type talk struct {
	*world
	name   string
	user   string
	random *rand.Rand
	// waiting is up to how many turns may be unfinished.
	waiting int

	mu    sync.Mutex
	id    string
	turns []turn
	// changed closes when a turn was begun or finished for a watcher.
	changed  chan struct{}
	watchers []*watcher
}

// turn is one that a replica has accepted.
type turn struct {
	plan
	reply     string // the reply's id
	position  int
	cancelled bool // it was asked to stop
}

// run talks until ctx ends.
func (k *talk) run(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		p := newPlan(k.random, fmt.Sprintf("%s-t%d", k.name, n))
		begun, ok := k.say(p)
		if !ok {
			return
		}
		if n == 0 {
			k.watch()
		}
		if k.random.IntN(12) == 0 {
			k.cancel(ctx, begun)
		}
		k.await(ctx, func() bool { return k.unfinished() < k.waiting })
		pause(ctx, time.Duration(k.random.IntN(500))*time.Millisecond)
	}
}

// say sends a message until a replica has accepted it, also when it is time to go: whether the
// last try was accepted must be known.
func (k *talk) say(p plan) (turn, bool) {
	in := testclient.Vars{"content": p.message(), "idempotencyKey": p.turn}
	if k.id != "" {
		in["conversationId"] = k.id
	}
	var answer struct {
		SendMessage struct {
			Conversation     struct{ ID string }
			UserMessage      testclient.Message
			AssistantMessage testclient.Message
		}
	}
	if !k.insist(sendDoc, testclient.Vars{"in": in}, &answer) {
		return turn{}, false
	}
	got := answer.SendMessage
	t := turn{plan: p, reply: got.AssistantMessage.ID, position: got.AssistantMessage.Position}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.id != "" && k.id != got.Conversation.ID {
		k.wrong.add("turn %s went to another conversation", p.turn)
	}
	if want := 2*len(k.turns) + 2; t.position != want || got.UserMessage.Content != p.message() {
		k.wrong.add("turn %s has position %d instead of %d, or another text", p.turn, t.position, want)
	}
	if k.id == "" { // its watchers, who start after the first turn, read it without the lock
		k.id = got.Conversation.ID
	}
	k.turns = append(k.turns, t)
	return t, true
}

// cancel asks for the reply to stop after a while.
func (k *talk) cancel(ctx context.Context, t turn) {
	pause(ctx, time.Duration(k.random.IntN(1500))*time.Millisecond)
	k.mu.Lock()
	k.turns[len(k.turns)-1].cancelled = true
	k.mu.Unlock()
	k.insist(cancelDoc, testclient.Vars{"id": t.reply}, nil)
}

// insist repeats an operation until it is answered. Only errors that invite a repetition
// are allowed. It gives up after a minute.
func (k *talk) insist(document string, vars testclient.Vars, into any) bool {
	patience, cancel := context.WithTimeout(k.life, time.Minute)
	defer cancel()
	for patience.Err() == nil {
		a, err := k.client(k.user).Do(patience, document, vars)
		switch {
		case err != nil || a.Status >= 500:
			k.count("requests without an answer")
		case a.ErrorCode() == "SERVICE_UNAVAILABLE":
			k.count("requests answered SERVICE_UNAVAILABLE")
		case len(a.Errors) > 0:
			k.wrong.add("%s: %s", k.name, a.Raw)
			return false
		default:
			if into != nil {
				if err := json.Unmarshal(a.Data, into); err != nil {
					k.wrong.add("%s: %v", k.name, err)
					return false
				}
			}
			return true
		}
		pause(patience, 100*time.Millisecond)
	}
	if k.life.Err() == nil {
		k.wrong.add("%s: nobody answered for a minute", k.name)
	}
	return false
}

// watch starts the clients that watch, and waits until each has seen something.
func (k *talk) watch() {
	for i := range watchersEach {
		k.watchers = append(k.watchers, newWatcher(k, i))
	}
	for _, w := range k.watchers {
		k.watching.Go(w.run)
	}
	for _, w := range k.watchers {
		select {
		case <-w.begun:
		case <-k.life.Done():
		}
	}
}

// unfinished is how many turns the slowest watcher has not seen the end of.
func (k *talk) unfinished() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	most := 0
	for _, w := range k.watchers {
		most = max(most, len(k.turns)-len(w.finished))
	}
	return most
}

// await waits until ok holds or ctx ends.
func (k *talk) await(ctx context.Context, ok func() bool) bool {
	for {
		k.mu.Lock()
		changed := k.changed
		k.mu.Unlock()
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

// tell wakes whoever awaits; the caller holds mu.
func (k *talk) tell() {
	close(k.changed)
	k.changed = make(chan struct{})
}
