package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// job is one kind of request, said to both servers in their own words. Each answer must hold
// as many ids: a server that finds nothing is fast.
type job struct {
	name    string
	ids     int
	path    string
	byHand  any
	graphql string
	vars    map[string]any
}

var jobs = []job{
	{
		name: "task list (50)", ids: 50, path: "/tasks", byHand: page{First: 50},
		graphql: `query($n:Int!){tasks(first:$n){edges{node{id number title completed priority createdAt}} pageInfo{hasNextPage}}}`,
		vars:    map[string]any{"n": 50},
	},
	{
		name: "20 conversations × 10 messages", ids: 220, path: "/conversations", byHand: page{First: 20},
		graphql: `query($n:Int!){conversations(first:$n){edges{node{id title messages(last:10){edges{node{id position role content status}}}}}}}`,
		vars:    map[string]any{"n": 20},
	},
	{
		name: "create task", ids: 1, path: "/create", byHand: page{Title: "Buy groceries for the week"},
		graphql: `mutation($t:String!){createTask(input:{title:$t}){task{id number title completed priority createdAt}}}`,
		vars:    map[string]any{"t": "Buy groceries for the week"},
	},
}

// requests prints the throughput of both servers, taken in turn.
func (b *bench) requests(ctx context.Context, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "request\thand-written/s\tErrand/s\tratio\thand p50 ms\tErrand p50 ms\t")
	for _, j := range jobs {
		var hand, ours []sample
		for range b.rounds + 1 { // the first warms up
			hand = append(hand, b.load(ctx, "http://"+b.byHand+j.path, j.byHand, j.ids))
			ours = append(
				ours,
				b.load(ctx, "http://"+b.errandA+"/graphql", map[string]any{"query": j.graphql, "variables": j.vars}, j.ids),
			)
		}
		h, o := middle(hand[1:]), middle(ours[1:])
		if h.failed+o.failed > 0 {
			return fmt.Errorf("%s: %d and %d requests failed: %s%s", j.name, h.failed, o.failed, h.fault, o.fault)
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.2f\t%.2f\t%.2f\t\n", j.name, h.rate, o.rate, o.rate/h.rate, h.p50, o.p50)
	}
	return table.Flush()
}

type sample struct {
	rate   float64 // requests a second
	p50    float64 // milliseconds
	failed int64
	fault  string // what the first failed request was told
}

func middle(samples []sample) sample {
	slices.SortFunc(samples, func(a, b sample) int {
		if a.rate < b.rate {
			return -1
		}
		return 1
	})
	m := samples[len(samples)/2]
	for _, s := range samples {
		m.failed, m.fault = max(m.failed, s.failed), m.fault+s.fault
	}
	return m
}

// load sends one request over and over on all connections for a round.
func (b *bench) load(ctx context.Context, url string, body any, ids int) sample {
	payload, _ := json.Marshal(body)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var failed atomic.Int64
	var fault atomic.Pointer[string]
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	start := time.Now()
	for i := range b.connections {
		wg.Go(func() {
			var mine []time.Duration
			for n := i; time.Since(start) < b.round && ctx.Err() == nil; n++ {
				began := time.Now()
				if told := ask(ctx, client, url, b.tokens[n%len(b.tokens)], payload, ids); told != "" && failed.Add(1) == 1 {
					fault.Store(&told)
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			times = append(times, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	took := time.Since(start)
	slices.Sort(times)
	told := ""
	if p := fault.Load(); p != nil {
		told = *p
	}
	return sample{
		fault: told,
		rate:  float64(len(times)) / took.Seconds(), failed: failed.Load(),
		p50: float64(times[len(times)/2].Microseconds()) / 1000,
	}
}

// ask sends one request and gives "", or what went wrong.
func ask(ctx context.Context, client *http.Client, url, token string, payload []byte, ids int) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	start := answer[:min(len(answer), 200)]
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(start, []byte(`"errors"`)) {
		return fmt.Sprint(resp.Status, " ", string(start), err)
	}
	if found := bytes.Count(answer, []byte(`"id":`)); found != ids {
		return fmt.Sprintf("%d ids instead of %d: %s", found, ids, start)
	}
	return ""
}
