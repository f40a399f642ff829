package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Size of the stream measurements.
const (
	talks     = 10 // conversations written at once
	listeners = 2  // subscribers of each, on each replica
)

// streams prints how fast text arrives, and what a turn asks of the database.
func (b *bench) streams(ctx context.Context, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nstream\tevents/s\tp50 ms\tp99 ms\t")
	for _, where := range []struct{ name, address string }{
		{"same replica", b.errandA}, {"another replica", b.errandB},
	} {
		if err := b.deliver(ctx, table, where.name, where.address); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return b.statements(ctx, out)
}

// deliver has replies written on replica A and followed at an address.
func (b *bench) deliver(ctx context.Context, out io.Writer, name, address string) error {
	var watchers []*watcher
	var began []string
	for i := range talks {
		token := b.tokens[i%len(b.tokens)]
		id, err := b.converse(ctx, token)
		if err != nil {
			return err
		}
		began = append(began, id)
		for range listeners {
			w, err := b.watch(ctx, address, token, id)
			if err != nil {
				return err
			}
			watchers = append(watchers, w)
		}
	}
	for i, id := range began {
		if err := b.send(ctx, b.tokens[i%len(b.tokens)], id); err != nil {
			return err
		}
	}
	start := time.Now()
	if err := followAll(watchers); err != nil {
		return err
	}
	took := time.Since(start)
	var delays []time.Duration
	events := 0
	for _, w := range watchers {
		delays = append(delays, w.delays...)
		events += w.events
	}
	slices.Sort(delays)
	fmt.Fprintf(out, "%d replies to %d subscribers, %s\t%.0f\t%.1f\t%.1f\t\n", talks, len(watchers), name,
		float64(events)/took.Seconds(), ms(quantile(delays, .5)), ms(quantile(delays, .99)))
	return nil
}

// converse begins a conversation.
func (b *bench) converse(ctx context.Context, token string) (string, error) {
	answer, err := b.graphql(ctx, token, `mutation{createConversation{conversation{id}}}`, nil)
	if err != nil {
		return "", err
	}
	var data struct {
		CreateConversation struct{ Conversation struct{ ID string } }
	}
	err = json.Unmarshal(answer, &data)
	return data.CreateConversation.Conversation.ID, err
}

// newest is a person's newest conversation.
func (b *bench) newest(ctx context.Context, token string) (string, error) {
	answer, err := b.graphql(ctx, token, `{conversations(first:1){nodes{id}}}`, nil)
	if err != nil {
		return "", err
	}
	var data struct {
		Conversations struct{ Nodes []struct{ ID string } }
	}
	if err := json.Unmarshal(answer, &data); err != nil || len(data.Conversations.Nodes) != 1 {
		return "", fmt.Errorf("no conversation: %s (%w)", answer, err)
	}
	return data.Conversations.Nodes[0].ID, nil
}

func (b *bench) send(ctx context.Context, token, conversation string) error {
	_, err := b.graphql(
		ctx,
		token,
		`mutation($c:ID!){sendMessage(input:{conversationId:$c,content:"Tell me the time"}){assistantMessage{id}}}`,
		map[string]any{"c": conversation},
	)
	return err
}

func (b *bench) graphql(ctx context.Context, token, query string, variables map[string]any) (json.RawMessage, error) {
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.errandA+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, errors.New(answer.Errors[0].Message)
	}
	return answer.Data, nil
}

// idle opens subscriptions on which nothing happens and weighs the process before and after. It comes
// first: memory that earlier requests left behind would hide what the subscriptions take.
func (b *bench) idle(ctx context.Context, out io.Writer) error {
	n := 5000
	if b.rounds == 1 {
		n = 200
	}
	pid := b.servers[2].Process.Pid // replica B: the other measurements are of A
	conversations := make([]string, len(b.tokens))
	for i, token := range b.tokens {
		id, err := b.newest(ctx, token)
		if err != nil {
			return err
		}
		conversations[i] = id
	}
	before := resident(pid)
	watchers := make([]*watcher, 0, n)
	for i := range n {
		w, err := b.watch(ctx, b.errandB, b.tokens[i%len(b.tokens)], conversations[i%len(b.tokens)])
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
		watchers = append(watchers, w)
	}
	after := settled(pid)
	fmt.Fprintf(
		out,
		"%d idle subscriptions, each on a socket of its own: %.1f KiB each\n\n",
		n,
		float64(after-before)/float64(n),
	)
	for _, w := range watchers {
		_ = w.conn.Close()
	}
	return nil
}

// settled is a process's memory in KiB once it gives back no more of it.
func settled(pid int) int {
	for last := resident(pid); ; {
		<-time.After(3 * time.Second)
		now := resident(pid)
		if now >= last {
			return now
		}
		last = now
	}
}

// resident is a process's memory in KiB, 0 where it cannot be read.
func resident(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kib
		}
	}
	return 0
}

// statements counts what one turn asks of the database, from sending to the end of its stream.
func (b *bench) statements(ctx context.Context, out io.Writer) error {
	const turns = 20
	token := b.tokens[0]
	count, err := b.countStatements(ctx, func() error {
		for range turns {
			id, err := b.converse(ctx, token)
			if err != nil {
				return err
			}
			w, err := b.watch(ctx, b.errandA, token, id)
			if err != nil {
				return err
			}
			if err := b.send(ctx, token, id); err != nil {
				return err
			}
			if err := followAll([]*watcher{w}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(
		out,
		"%.1f SQL statements a turn without tools, with one subscriber, the conversation's making and BEGIN and COMMIT included\n",
		float64(count)/turns,
	)
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*q))]
}
