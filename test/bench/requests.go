package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// operation is a request in the form of each server. A response must contain ids IDs, so that a server that returns
// nothing does not count as fast.
type operation struct {
	name, title string
	ids         int
	path        string
	baseline    input
	graphql     string
	vars        map[string]any
	large       bool // of the large user, else of a random one
	key         bool // with a new idempotency key each time
}

const conversationsDocument = `query($n:Int!){conversations(first:$n){
	edges{node{id title messages(last:10){edges{node{id position role content status}}}}}}}`

const createDocument = `mutation($t:String!,$k:String){createTask(input:{title:$t,idempotencyKey:$k}){
	task{id number title completed priority createdAt}}}`

var operations = []operation{
	{
		name: "q1", title: "Q1: 50 tasks", ids: 50, path: "/tasks", baseline: input{First: 50},
		graphql: `query($n:Int!){tasks(first:$n){
			edges{node{id number title completed priority createdAt}} pageInfo{hasNextPage}}}`,
		vars: map[string]any{"n": 50},
	},
	{
		name: "q2", title: "Q2: 20 conversations × 10 messages", ids: 220, path: "/conversations",
		baseline: input{First: 20}, graphql: conversationsDocument, vars: map[string]any{"n": 20},
	},
	{
		name: "q2l", title: "Q2L: 10 messages of each of 10 long conversations", ids: 110, path: "/conversations",
		baseline: input{First: 20}, graphql: conversationsDocument, vars: map[string]any{"n": 20}, large: true,
	},
	{
		name: "m1", title: "M1: create a task", ids: 1, path: "/create", baseline: input{Title: newTitle},
		graphql: createDocument, vars: map[string]any{"t": newTitle},
	},
	{
		name: "m1k", title: "M1K: create a task with an idempotency key", ids: 1, path: "/create",
		baseline: input{Title: newTitle}, graphql: createDocument, vars: map[string]any{"t": newTitle}, key: true,
	},
}

const newTitle = "Buy groceries for the week"

// target is a server with the requests of an operation for it.
type target struct {
	name   string
	server *server
	url    string
	eddsa  bool
	body   func() []byte
	rounds []round
}

// round is the result of a round.
type round struct {
	times            []time.Duration
	elapsed          time.Duration
	server, postgres time.Duration // CPU time
	failed           int64
	failure          string // description of the first failed request
}

func (r round) rate() float64 { return float64(len(r.times)) / r.elapsed.Seconds() }

// measure measures the operation on all servers in alternating rounds, of which the first is not counted.
func (op operation) measure(ctx context.Context, b *bench, out io.Writer) error {
	targets, err := op.start(ctx, b)
	if err != nil {
		return err
	}
	tokens, err := b.userTokens(op.large)
	if err != nil {
		return err
	}
	for n := range b.rounds + 1 {
		for _, t := range targets {
			r := b.runRound(ctx, t, tokens, op.ids, b.round)
			if r.failed > 0 || len(r.times) == 0 {
				return fmt.Errorf("%s: %d requests failed: %s", t.name, r.failed, r.failure)
			}
			if n > 0 {
				t.rounds = append(t.rounds, r)
			}
		}
	}
	if err := printRounds(out, op.title, targets); err != nil {
		return err
	}
	if b.profile == "" {
		return nil
	}
	return b.writeProfiles(ctx, op, targets[2], tokens)
}

// start starts the servers: the hand-written ones, which come first, and Errand with each kind of token.
func (op operation) start(ctx context.Context, b *bench) (targets []*target, err error) {
	body := func(fields func() any) func() []byte {
		encoded, _ := json.Marshal(fields())
		if !op.key {
			return func() []byte { return encoded }
		}
		return func() []byte {
			encoded, _ := json.Marshal(fields())
			return encoded
		}
	}
	newKey := func() string { return strconv.FormatUint(rand.Uint64(), 36) }
	handwritten := body(func() any {
		in := op.baseline
		if op.key {
			in.IdempotencyKey = new(newKey())
		}
		return in
	})
	graphql := body(func() any {
		vars := op.vars
		if op.key {
			vars = map[string]any{"t": newTitle, "k": newKey()}
		}
		return map[string]any{"query": op.graphql, "variables": vars}
	})
	for _, name := range []string{minimalServer, sameServer} {
		s, err := b.startBaseline(ctx, name)
		if err != nil {
			return nil, err
		}
		targets = append(targets, &target{name: name, server: s, url: "http://" + s.address + op.path, body: handwritten})
	}
	for _, eddsa := range []bool{false, true} {
		name, settings := "Errand, HS256", hs256()
		if eddsa {
			name, settings = "Errand, JWKS", b.jwks()
		}
		s, err := b.startErrand(ctx, settings...)
		if err != nil {
			return nil, err
		}
		targets = append(targets, &target{
			name: name, server: s, url: "http://" + s.address + "/graphql", eddsa: eddsa, body: graphql,
		})
	}
	return targets, nil
}

// userTokens returns the tokens of all users or of the large user, of each kind.
func (b *bench) userTokens(large bool) (tokens map[bool][]string, err error) {
	subjects := []string{largeUser}
	if !large {
		subjects = nil
		for n := range b.size.users {
			subjects = append(subjects, userSubject(n+1))
		}
	}
	tokens = map[bool][]string{}
	for _, eddsa := range []bool{false, true} {
		for _, subject := range subjects {
			token, err := b.keys.sign(subject, eddsa)
			if err != nil {
				return nil, err
			}
			tokens[eddsa] = append(tokens[eddsa], token)
		}
	}
	return tokens, nil
}

// runRound sends requests of random users on all connections for the length of a round.
func (b *bench) runRound(
	ctx context.Context,
	t *target,
	tokens map[bool][]string,
	ids int,
	length time.Duration,
) (r round) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: b.connections, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var failed atomic.Int64
	var firstFailure atomic.Pointer[string]
	var mu sync.Mutex
	var wg sync.WaitGroup
	own := tokens[t.eddsa]
	server, postgres := cpuTime(t.server.pid()), cpuTime(b.postgres)
	start := time.Now()
	for range b.connections {
		wg.Go(func() {
			var durations []time.Duration
			for time.Since(start) < length && ctx.Err() == nil {
				sent := time.Now()
				failure := sendRequest(ctx, client, t.url, own[rand.IntN(len(own))], t.body(), ids)
				if failure != "" && failed.Add(1) == 1 {
					firstFailure.Store(&failure)
				}
				durations = append(durations, time.Since(sent))
			}
			mu.Lock()
			r.times = append(r.times, durations...)
			mu.Unlock()
		})
	}
	wg.Wait()
	r.elapsed = time.Since(start)
	r.server, r.postgres = cpuTime(t.server.pid())-server, cpuTime(b.postgres)-postgres
	r.failed = failed.Load()
	if p := firstFailure.Load(); p != nil {
		r.failure = *p
	}
	return r
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

// printRounds prints a line for each server. Rates are those of the median round, and ratios are the medians of the
// ratios of adjacent rounds, which have met the same disturbances. The CPU time is that of all rounds.
func printRounds(out io.Writer, title string, targets []*target) error {
	t := newTable(
		title, "server", "requests/s", "÷ minimal", "÷ same work", "p50 ms", "p99 ms",
		"CPU µs", "PostgreSQL's µs", "both ÷ minimal", "both ÷ same work",
	)
	for _, x := range targets {
		var times []time.Duration
		var rates []float64
		for _, r := range x.rounds {
			times, rates = append(times, r.times...), append(rates, r.rate())
		}
		slices.Sort(times)
		server, postgres := x.cpu()
		t.add(x.name, median(rates), x.ratio(targets[0]), x.ratio(targets[1]),
			ms(quantile(times, .5)), ms(quantile(times, .99)), server, postgres,
			(server+postgres)/sum(targets[0].cpu()), (server+postgres)/sum(targets[1].cpu()))
	}
	return t.write(out)
}

// cpu returns the CPU time of a request, in microseconds, of the server and of PostgreSQL.
func (t *target) cpu() (server, postgres float64) {
	var serverTime, postgresTime time.Duration
	requests := 0
	for _, r := range t.rounds {
		serverTime, postgresTime, requests = serverTime+r.server, postgresTime+r.postgres, requests+len(r.times)
	}
	n := float64(requests)
	return float64(serverTime.Microseconds()) / n, float64(postgresTime.Microseconds()) / n
}

func sum(a, b float64) float64 { return a + b }

// ratio returns the throughput divided by that of another server.
func (t *target) ratio(other *target) float64 {
	ratios := make([]float64, len(t.rounds))
	for i, r := range t.rounds {
		ratios[i] = r.rate() / other.rounds[i].rate()
	}
	return median(ratios)
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// profileTime is the length of a CPU profile.
const profileTime = 10 * time.Second

// writeProfiles writes NAME.cpu.pprof and NAME.allocs.pprof of requests to a server.
func (b *bench) writeProfiles(ctx context.Context, op operation, t *target, tokens map[bool][]string) error {
	if err := os.MkdirAll(b.profile, 0o755); err != nil {
		return err
	}
	errs := make(chan error, 1)
	seconds := int(min(profileTime, 3*b.round).Seconds() + 1)
	go func() {
		errs <- download(ctx, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", t.server.admin, seconds),
			filepath.Join(b.profile, op.name+".cpu.pprof"))
	}()
	b.runRound(ctx, t, tokens, op.ids, time.Duration(seconds)*time.Second)
	if err := <-errs; err != nil {
		return err
	}
	return download(ctx, t.server.admin+"/debug/pprof/allocs", filepath.Join(b.profile, op.name+".allocs.pprof"))
}

func download(ctx context.Context, url, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, body[:min(len(body), 200)])
	}
	if err != nil {
		return err
	}
	return os.WriteFile(path, body, 0o644)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*q))]
}
