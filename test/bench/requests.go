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

// operation is a request in the form of each server. A response must contain ids IDs, so that a server that returns
// nothing does not count as fast.
type operation struct {
	name     string
	ids      int
	path     string
	baseline any
	graphql  string
	vars     map[string]any
}

var operations = []operation{
	{
		name: "task list (50)", ids: 50, path: "/tasks", baseline: input{First: 50},
		graphql: `query($n:Int!){tasks(first:$n){
			edges{node{id number title completed priority createdAt}} pageInfo{hasNextPage}}}`,
		vars: map[string]any{"n": 50},
	},
	{
		name: "20 conversations × 10 messages", ids: 220, path: "/conversations", baseline: input{First: 20},
		graphql: `query($n:Int!){conversations(first:$n){
			edges{node{id title messages(last:10){edges{node{id position role content status}}}}}}}`,
		vars: map[string]any{"n": 20},
	},
	{
		name: "create task", ids: 1, path: "/create", baseline: input{Title: "Buy groceries for the week"},
		graphql: `mutation($t:String!){createTask(input:{title:$t}){task{id number title completed priority createdAt}}}`,
		vars:    map[string]any{"t": "Buy groceries for the week"},
	},
}

// requests measures both servers alternately and prints their throughput and latency.
func (b *bench) requests(ctx context.Context, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "request\thand-written/s\tErrand/s\tratio\thand p50 ms\tErrand p50 ms\t")
	for _, op := range operations {
		var baseline, errand []sample
		for range b.rounds + 1 { // the first round is a warm-up and not counted
			baseline = append(baseline, b.runRound(ctx, "http://"+b.baseline+op.path, op.baseline, op.ids))
			request := map[string]any{"query": op.graphql, "variables": op.vars}
			errand = append(errand, b.runRound(ctx, "http://"+b.errandA+"/graphql", request, op.ids))
		}
		base, graphql := median(baseline[1:]), median(errand[1:])
		if base.failed+graphql.failed > 0 {
			return fmt.Errorf("%s: %d and %d requests failed: %s%s",
				op.name, base.failed, graphql.failed, base.failure, graphql.failure)
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.2f\t%.2f\t%.2f\t\n",
			op.name, base.rate, graphql.rate, graphql.rate/base.rate, base.p50, graphql.p50)
	}
	return table.Flush()
}

// sample is the result of a round.
type sample struct {
	rate    float64 // requests a second
	p50     float64 // milliseconds
	failed  int64
	failure string // description of the first failed request
}

// median returns the sample with the median rate. Its failures are those of all samples.
func median(samples []sample) sample {
	slices.SortFunc(samples, func(a, b sample) int {
		if a.rate < b.rate {
			return -1
		}
		return 1
	})
	m := samples[len(samples)/2]
	for _, s := range samples {
		m.failed, m.failure = max(m.failed, s.failed), m.failure+s.failure
	}
	return m
}

// runRound sends one request repeatedly on all connections for the length of a round.
func (b *bench) runRound(ctx context.Context, url string, body any, ids int) sample {
	payload, _ := json.Marshal(body)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var failed atomic.Int64
	var firstFailure atomic.Pointer[string]
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	start := time.Now()
	for i := range b.connections {
		wg.Go(func() {
			var durations []time.Duration
			for n := i; time.Since(start) < b.round && ctx.Err() == nil; n++ {
				sent := time.Now()
				failure := sendRequest(ctx, client, url, b.tokens[n%len(b.tokens)], payload, ids)
				if failure != "" && failed.Add(1) == 1 {
					firstFailure.Store(&failure)
				}
				durations = append(durations, time.Since(sent))
			}
			mu.Lock()
			times = append(times, durations...)
			mu.Unlock()
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	slices.Sort(times)
	failure := ""
	if p := firstFailure.Load(); p != nil {
		failure = *p
	}
	return sample{
		rate:    float64(len(times)) / elapsed.Seconds(),
		p50:     float64(times[len(times)/2].Microseconds()) / 1000,
		failed:  failed.Load(),
		failure: failure,
	}
}

// sendRequest sends one request. It returns "" or a description of the failure.
func sendRequest(ctx context.Context, client *http.Client, url, token string, payload []byte, ids int) string {
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
	body, err := io.ReadAll(resp.Body)
	start := body[:min(len(body), 200)]
	if err != nil || resp.StatusCode != http.StatusOK || bytes.Contains(start, []byte(`"errors"`)) {
		return fmt.Sprint(resp.Status, " ", string(start), err)
	}
	if found := bytes.Count(body, []byte(`"id":`)); found != ids {
		return fmt.Sprintf("%d ids instead of %d: %s", found, ids, start)
	}
	return ""
}
