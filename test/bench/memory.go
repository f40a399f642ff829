package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// measureMemory measures the resident memory of a new server with idle subscriptions, each on its own socket: of one
// of them, the peak while all subscribe, 32 at a time, and what remains after all have left.
func measureMemory(ctx context.Context, b *bench, out io.Writer) error {
	s, err := b.startErrand(ctx, hs256()...)
	if err != nil {
		return err
	}
	users := min(b.size.users, 100)
	clients, conversations := make([]*client, users), make([]string, users)
	for i := range users {
		if clients[i], err = b.newClient(s, userSubject(i+1)); err != nil {
			return err
		}
		if conversations[i], err = clients[i].newestConversation(ctx); err != nil {
			return err
		}
	}
	before := residentMemory(s.pid())
	subscribers := make([]*subscriber, b.size.idle)
	errs := make([]error, b.size.idle)
	var wg sync.WaitGroup
	next := make(chan int)
	for range 32 {
		wg.Go(func() {
			for i := range next {
				subscribers[i], errs[i] = clients[i%users].subscribe(ctx, conversations[i%users])
				if errs[i] == nil {
					_, errs[i] = subscribers[i].read() // the newest turn: the subscription is active
				}
			}
		})
	}
	for i := range b.size.idle {
		next <- i
	}
	close(next)
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	idle := settledMemory(s.pid(), 3*time.Second)
	for _, subscriber := range subscribers {
		_ = subscriber.conn.Close()
	}
	left := settledMemory(s.pid(), 10*time.Second)
	t := newTable("Memory of idle subscriptions, each on its own socket",
		"subscriptions", "before MiB", "KiB each", "peak MiB", "idle MiB", "after all left MiB")
	t.add(b.size.idle, before.now, (idle.now-before.now)*1024/float64(b.size.idle), idle.peak, idle.now, left.now)
	return t.write(out)
}
