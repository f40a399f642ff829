package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb/cluster"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
)

const (
	// people share the conversations between them.
	people = 4
	// settling is how long everything may take to end once nothing breaks any more: leases, and
	// the delays before replies that failed are tried again.
	settling = 90 * time.Second
	secret   = "chaos-chaos-chaos-chaos-chaos-chaos"
)

// world is one run: replicas, what they need, and who uses them.
type world struct {
	options
	dir, binary string

	wrong       *violations
	postgres    *cluster.Cluster
	databaseURL string
	model       *model
	replicas    []*replica
	balancer    *balancer
	faults      *faults
	clients     map[string]*testclient.Client
	talks       []*talk
	watching    sync.WaitGroup

	// life ends when the clients shall go.
	life context.Context

	mu      sync.Mutex
	counts  map[string]int
	trouble error // of the harness itself
	stop    context.CancelFunc
	undo    []func() error
}

// run makes the world, lets it go on for a while, and judges it.
func (w *world) run(ctx context.Context) (err error) {
	w.wrong, w.counts = newViolations(), map[string]int{}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.begin(ctx); err != nil {
		return err
	}
	var clients context.CancelFunc
	w.life, clients = context.WithCancel(ctx)
	defer w.watching.Wait()
	defer clients()
	w.breakThings(ctx)
	w.settle()
	if err := errors.Join(w.trouble, context.Cause(ctx)); err != nil {
		return err
	}
	if w.wrong.err() == nil {
		w.judge(ctx)
	}
	return w.wrong.err()
}

// breakThings lets people talk while things break, for as long as is asked or until something is wrong.
func (w *world) breakThings(ctx context.Context) {
	ctx, w.stop = context.WithTimeout(ctx, w.For)
	defer w.stop()
	go func() {
		select {
		case <-w.wrong.first:
			w.stop()
		case <-ctx.Done():
		}
	}()
	var all sync.WaitGroup
	all.Go(func() { w.faults.run(ctx) })
	for _, k := range w.talks {
		all.Go(func() { k.run(ctx) })
	}
	all.Wait()
}

// settle waits until every client has seen the end of every turn.
func (w *world) settle() {
	ctx, cancel := context.WithTimeout(w.life, settling)
	defer cancel()
	go func() {
		select {
		case <-w.wrong.first:
			cancel()
		case <-ctx.Done():
		}
	}()
	for _, k := range w.talks {
		if !k.await(ctx, func() bool { return k.unfinished() == 0 }) && w.wrong.err() == nil {
			w.wrong.add("%s: after %s, a client has not seen the end of %d turns", k.name, settling, k.unfinished())
		}
	}
}

// begin starts everything, all replicas at once on an empty database.
func (w *world) begin(ctx context.Context) (err error) {
	if w.postgres, err = cluster.New(ctx); err != nil {
		return err
	}
	w.undo = append(w.undo, w.postgres.Close)
	w.databaseURL = w.postgres.URL("chaos")
	if err := w.createDatabase(ctx); err != nil {
		return err
	}
	w.model = newModel(w.random("model", 0), w.wrong)
	w.undo = append(w.undo, func() error {
		w.model.server.CloseClientConnections()
		w.model.server.Close()
		return nil
	})
	if err := w.startReplicas(); err != nil {
		return err
	}
	addresses := make([]string, len(w.replicas))
	for i, r := range w.replicas {
		addresses[i] = r.addr
	}
	if w.balancer, err = newBalancer(w.random("balancer", 0), addresses); err != nil {
		return err
	}
	w.undo = append(w.undo, w.balancer.close)
	w.faults = &faults{world: w, random: w.random("faults", 0), counts: map[string]int{}}
	w.invite()
	return w.awaitReplicas(ctx)
}

func (w *world) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, w.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE chaos")
	return errors.Join(err, conn.Close(ctx))
}

func (w *world) startReplicas() error {
	environ := []string{
		"DB_MAX_CONNS=8", "ADMIN_ADDR=off", "BETTER_AUTH_SECRET=" + secret,
		"LLM_PROVIDER=openai", "OPENAI_BASE_URL=" + w.model.server.URL + "/v1", "LLM_MODEL=scripted", "LLM_TITLES=false",
		"RUN_LEASE=" + lease.String(), "RUN_SWEEP=" + sweep.String(), "RUN_MAX_ATTEMPTS=20", "SHUTDOWN_TIMEOUT=5s",
		"MESSAGES_PER_MINUTE=100000", "MAX_REPLIES_PER_USER=1000", "MAX_SOCKETS_PER_USER=10000",
	}
	database, err := url.Parse(w.databaseURL)
	if err != nil {
		return err
	}
	for _, name := range []string{"a", "b", "c"} {
		r, err := newReplica(name, w.dir, w.binary, database, environ)
		if err != nil {
			return err
		}
		w.replicas = append(w.replicas, r)
		if err := r.start(); err != nil {
			return err
		}
		w.undo = append(w.undo, r.close)
	}
	return nil
}

// awaitReplicas waits until each replica is ready.
func (w *world) awaitReplicas(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, r := range w.replicas {
		for {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/health", nil)
			if err != nil {
				return err
			}
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				_ = response.Body.Close()
			}
			if err == nil && response.StatusCode == http.StatusOK {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("replica %s does not start: %w", r.name, err)
			}
			pause(ctx, 50*time.Millisecond)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	return nil
}

// invite makes the people and their conversations.
func (w *world) invite() {
	w.clients = map[string]*testclient.Client{}
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	w.undo = append(w.undo, func() error { transport.CloseIdleConnections(); return nil })
	for i := range w.Conversations {
		user := fmt.Sprintf("user%d", i%people)
		if w.clients[user] == nil {
			w.clients[user] = testclient.NewWithTransport(transport, w.balancer.url(), token(user))
		}
		name := fmt.Sprintf("c%d", i)
		w.talks = append(w.talks, &talk{
			world: w, name: name, user: user, random: w.random("talk", i), changed: make(chan struct{}),
			waiting: 1 + i%mostWaiting,
		})
	}
}

// token signs a person in for the whole run.
func token(user string) string {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(24 * time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		panic(err) // the key is constant
	}
	return signed
}

func (w *world) client(user string) *testclient.Client { return w.clients[user] }

// broken ends the run because the harness itself does not work.
func (w *world) broken(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = errors.Join(w.trouble, err)
	w.stop()
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// report says what happened.
func (w *world) report() {
	if w.faults == nil {
		return
	}
	fmt.Fprintln(w.Out, "faults:", w.faults)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(w.counts)) {
		fmt.Fprintf(w.Out, "%8d %s\n", w.counts[what], what)
	}
}

func (w *world) close() error {
	var errs []error
	for i := len(w.undo) - 1; i >= 0; i-- {
		errs = append(errs, w.undo[i]())
	}
	return errors.Join(errs...)
}
