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
	replies               = 10 // replies generated concurrently
	subscribersPerReplica = 2  // subscribers of each conversation
)

// streams measures the delivery of text and the SQL statements of a turn.
func (b *bench) streams(ctx context.Context, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\nstream\tevents/s\tp50 ms\tp99 ms\t")
	for _, where := range []struct{ name, address string }{
		{"same replica", b.errandA}, {"another replica", b.errandB},
	} {
		if err := b.measureDelivery(ctx, table, where.name, where.address); err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return b.countTurnStatements(ctx, out)
}

// measureDelivery generates replies on replica A and measures their delivery to subscribers at an address.
func (b *bench) measureDelivery(ctx context.Context, out io.Writer, name, address string) error {
	var subscribers []*subscriber
	var conversationIDs []string
	for i := range replies {
		token := b.tokens[i%len(b.tokens)]
		id, err := b.createConversation(ctx, token)
		if err != nil {
			return err
		}
		conversationIDs = append(conversationIDs, id)
		for range subscribersPerReplica {
			s, err := b.subscribe(ctx, address, token, id)
			if err != nil {
				return err
			}
			subscribers = append(subscribers, s)
		}
	}
	for i, id := range conversationIDs {
		if err := b.send(ctx, b.tokens[i%len(b.tokens)], id); err != nil {
			return err
		}
	}
	start := time.Now()
	if err := readAllReplies(subscribers); err != nil {
		return err
	}
	elapsed := time.Since(start)
	var delays []time.Duration
	events := 0
	for _, s := range subscribers {
		delays = append(delays, s.delays...)
		events += s.events
	}
	slices.Sort(delays)
	fmt.Fprintf(out, "%d replies to %d subscribers, %s\t%.0f\t%.1f\t%.1f\t\n", replies, len(subscribers), name,
		float64(events)/elapsed.Seconds(), ms(quantile(delays, .5)), ms(quantile(delays, .99)))
	return nil
}

// createConversation creates a conversation and returns its ID.
func (b *bench) createConversation(ctx context.Context, token string) (string, error) {
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

// newestConversation returns the ID of the user's newest conversation.
func (b *bench) newestConversation(ctx context.Context, token string) (string, error) {
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

// idle measures the memory of idle subscriptions. It must run first: memory that earlier requests left unused would
// hide the memory of the subscriptions.
func (b *bench) idle(ctx context.Context, out io.Writer) error {
	n := 5000
	if b.rounds == 1 {
		n = 200
	}
	pid := b.servers[2].Process.Pid // replica B, which the other measurements use less than A
	conversations := make([]string, len(b.tokens))
	for i, token := range b.tokens {
		id, err := b.newestConversation(ctx, token)
		if err != nil {
			return err
		}
		conversations[i] = id
	}
	before := residentMemory(pid)
	subscribers := make([]*subscriber, 0, n)
	for i := range n {
		s, err := b.subscribe(ctx, b.errandB, b.tokens[i%len(b.tokens)], conversations[i%len(b.tokens)])
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
		subscribers = append(subscribers, s)
	}
	after := stableMemory(pid)
	fmt.Fprintf(
		out,
		"%d idle subscriptions, each on its own socket: %.1f KiB each\n\n",
		n,
		float64(after-before)/float64(n),
	)
	for _, s := range subscribers {
		_ = s.conn.Close()
	}
	return nil
}

// stableMemory waits until a process's resident memory no longer shrinks and returns it in KiB.
func stableMemory(pid int) int {
	for last := residentMemory(pid); ; {
		<-time.After(3 * time.Second)
		now := residentMemory(pid)
		if now >= last {
			return now
		}
		last = now
	}
}

// residentMemory returns a process's resident memory in KiB, or 0 if it cannot be read.
func residentMemory(pid int) int {
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

// countTurnStatements prints the number of SQL statements of a turn, from sendMessage to the end of the stream.
func (b *bench) countTurnStatements(ctx context.Context, out io.Writer) error {
	const turns = 20
	token := b.tokens[0]
	count, err := b.countStatements(ctx, func() error {
		for range turns {
			id, err := b.createConversation(ctx, token)
			if err != nil {
				return err
			}
			s, err := b.subscribe(ctx, b.errandA, token, id)
			if err != nil {
				return err
			}
			if err := b.send(ctx, token, id); err != nil {
				return err
			}
			if err := readAllReplies([]*subscriber{s}); err != nil {
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
		"%.1f SQL statements per turn without tools and with one subscriber, "+
			"including createConversation, BEGIN and COMMIT\n",
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
