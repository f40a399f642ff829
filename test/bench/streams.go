package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// measureStreams measures the delivery of text.
func measureStreams(ctx context.Context, b *bench, out io.Writer) error {
	writer, err := b.startErrand(ctx, hs256()...)
	if err != nil {
		return err
	}
	other, err := b.startErrand(ctx, hs256()...)
	if err != nil {
		return err
	}
	t := newTable("Streams: time from the model's chunk to the client, with a chunk each 25 ms",
		"replies × subscribers", "events/s", "p50 ms", "p99 ms", "server's CPU µs per event")
	for _, row := range []struct {
		name              string
		server            *server
		replies, watching int
	}{
		{"10 × 2, same replica", writer, 10, 2},
		{"10 × 2, another replica", other, 10, 2},
		{fmt.Sprintf("1 × %d, same replica", b.size.followers), writer, 1, b.size.followers},
	} {
		if err := b.measureDelivery(ctx, t, row.name, writer, row.server, row.replies, row.watching); err != nil {
			return err
		}
	}
	return t.write(out)
}

// measureDelivery generates replies on the server writer and measures their delivery to subscribers of each at another.
func (b *bench) measureDelivery(
	ctx context.Context,
	t *table,
	name string,
	writer, at *server,
	replies, watching int,
) error {
	var subscribers []*subscriber
	var conversations []string
	var users []*client
	for i := range replies {
		user, err := b.newClient(writer, userSubject(i+1))
		if err != nil {
			return err
		}
		conversation, err := user.createConversation(ctx)
		if err != nil {
			return err
		}
		users, conversations = append(users, user), append(conversations, conversation)
		watcher := &client{at, user.token}
		for range watching {
			s, err := watcher.subscribe(ctx, conversation)
			if err != nil {
				return err
			}
			subscribers = append(subscribers, s)
		}
	}
	start, cpu := time.Now(), cpuTime(at.pid())
	for i, user := range users {
		if err := user.send(ctx, conversations[i], "Tell me the time"); err != nil {
			return err
		}
	}
	if err := readAllReplies(subscribers); err != nil {
		return err
	}
	elapsed, used := time.Since(start), cpuTime(at.pid())-cpu
	var delays []time.Duration
	events := 0
	for _, s := range subscribers {
		delays = append(delays, s.delays...)
		events += s.events
	}
	slices.Sort(delays)
	t.add(name, float64(events)/elapsed.Seconds(), ms(quantile(delays, .5)), ms(quantile(delays, .99)),
		float64(used.Microseconds())/float64(events))
	return nil
}
