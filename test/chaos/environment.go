package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb/cluster"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

const (
	// users is the number of users, over whom the conversations are distributed.
	users = 4
	// settleTimeout bounds how long unfinished turns may take after the last fault. It covers expiring leases and
	// the backoff of failed attempts.
	settleTimeout = 90 * time.Second
	tokenSecret   = "chaos-chaos-chaos-chaos-chaos-chaos"
)

// environment is the system under test of one run: three replicas behind a balancer, their PostgreSQL server and
// model provider, the clients, and the fault injector.
type environment struct {
	options
	dir, binary string

	violations      *violations
	postgres        *cluster.Cluster
	disk            smallDisk
	servers         servers
	model           *model
	replicas        []*replica
	balancer        *balancer
	faults          *injector
	clients         map[string]*testclient.Client
	conversations   []*conversation
	approvers       []*approver
	subscriberGroup sync.WaitGroup

	// clientCtx is cancelled when the clients have to stop, after the turns have finished.
	clientCtx context.Context

	mu         sync.Mutex
	counts     map[string]int
	harnessErr error // a failure of the test program, not of the replicas
	stop       context.CancelFunc
	cleanups   []func() error
}

// run starts the environment, injects faults under load, waits for all turns, and checks the invariants.
func (e *environment) run(ctx context.Context) (err error) {
	e.violations, e.counts = newViolations(), map[string]int{}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := e.start(ctx); err != nil {
		return err
	}
	var clients context.CancelFunc
	e.clientCtx, clients = context.WithCancel(ctx)
	defer e.subscriberGroup.Wait()
	defer clients()
	e.injectFaults(ctx)
	e.waitForTurns()
	if err := errors.Join(e.harnessErr, context.Cause(ctx)); err != nil {
		return err
	}
	for _, a := range e.approvers {
		if e.violations.err() == nil {
			a.check()
		}
	}
	if e.violations.err() == nil {
		e.check(ctx)
	}
	return e.violations.err()
}

// injectFaults runs the conversations and the fault injector for the configured time or until the first violation.
func (e *environment) injectFaults(ctx context.Context) {
	ctx, e.stop = context.WithTimeout(ctx, e.For)
	defer e.stop()
	go func() {
		select {
		case <-e.violations.first:
			e.stop()
		case <-ctx.Done():
		}
	}()
	var group sync.WaitGroup
	group.Go(func() { e.faults.run(ctx) })
	for _, c := range e.conversations {
		group.Go(func() { c.run(ctx) })
	}
	for _, a := range e.approvers {
		group.Go(func() { a.run(ctx) })
	}
	group.Wait()
}

// waitForTurns waits until every subscriber has received the end of every turn.
func (e *environment) waitForTurns() {
	ctx, cancel := context.WithTimeout(e.clientCtx, settleTimeout)
	defer cancel()
	go func() {
		select {
		case <-e.violations.first:
			cancel()
		case <-ctx.Done():
		}
	}()
	for _, c := range e.conversations {
		if !c.waitUntil(ctx, func() bool { return c.unfinishedTurns() == 0 }) && e.violations.err() == nil {
			e.violations.add("%s: after %s, a subscriber has not received the end of %d turns",
				c.name, settleTimeout, c.unfinishedTurns())
		}
	}
}

// start starts all components. The replicas start concurrently on an empty database and migrate it.
func (e *environment) start(ctx context.Context) (err error) {
	if !e.SQLite {
		if err := e.startServers(ctx); err != nil {
			return err
		}
		if err := e.createDatabase(ctx); err != nil {
			return err
		}
	}
	if e.Failover {
		if err := e.addStandby(ctx); err != nil {
			return err
		}
		e.servers.standbySlot = 1
	}
	e.model = newModel(e.random("model", 0), e.violations)
	e.cleanups = append(e.cleanups, func() error {
		e.model.server.CloseClientConnections()
		e.model.server.Close()
		return nil
	})
	if err := e.startReplicas(); err != nil {
		return err
	}
	addresses := make([]string, len(e.replicas))
	for i, r := range e.replicas {
		addresses[i] = r.addr
	}
	if e.balancer, err = newBalancer(e.random("balancer", 0), addresses); err != nil {
		return err
	}
	e.cleanups = append(e.cleanups, e.balancer.close)
	e.faults = &injector{environment: e, random: e.random("faults", 0), counts: map[string]int{}}
	e.createConversations()
	if err := e.awaitReplicas(ctx); err != nil {
		return err
	}
	if e.Failover || e.SQLite {
		return nil
	}
	return e.prepareDisk(ctx)
}

func (e *environment) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, e.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	create := "CREATE DATABASE chaos"
	if !e.Failover {
		if err := e.mountSmallDisk(ctx, conn); err != nil {
			return err
		}
	}
	if e.disk.dir != "" {
		create += " TABLESPACE small"
	}
	_, err = conn.Exec(ctx, create)
	return err
}

func (e *environment) startReplicas() error {
	environ := []string{
		"DB_MAX_CONNS=8", "ADMIN_ADDR=off", "BETTER_AUTH_SECRET=" + tokenSecret,
		"LLM_PROVIDER=openai", "OPENAI_BASE_URL=" + e.model.server.URL + "/v1", "LLM_MODEL=scripted", "LLM_TITLES=false",
		"RUN_LEASE=" + lease.String(), "RUN_SWEEP=" + sweep.String(), "RUN_MAX_ATTEMPTS=20", "SHUTDOWN_TIMEOUT=5s",
		"MESSAGES_PER_MINUTE=100000", "MUTATIONS_PER_MINUTE=0", "MAX_REPLIES_PER_USER=1000", "MAX_SOCKETS_PER_USER=10000",
		"MAX_SUBSCRIPTIONS_PER_USER=10000",
	}
	if e.SQLite {
		r, err := newReplicaOn("a", e.dir, e.binary, "sqlite:"+sqliteFile(e.dir), environ)
		return startReplica(e, r, err)
	}
	targets := []string{socketDir(e.postgres)}
	if e.Failover {
		targets = append(targets, socketDir(e.servers.standby))
	}
	for _, name := range []string{"a", "b", "c"} {
		r, err := newReplica(name, e.dir, e.binary, targets, environ)
		if err := startReplica(e, r, err); err != nil {
			return err
		}
	}
	return nil
}

// startReplica starts a replica, unless its creation has failed.
func startReplica(e *environment, r *replica, err error) error {
	if err != nil {
		return err
	}
	e.replicas = append(e.replicas, r)
	if err := r.start(); err != nil {
		return err
	}
	e.cleanups = append(e.cleanups, r.close)
	return nil
}

// sqliteFile returns the database file of a run on SQLite.
func sqliteFile(dir string) string { return filepath.Join(dir, "errand.db") }

// openDatabase opens the database of the replicas.
func openDatabase(e *environment) (*sql.DB, error) {
	if e.SQLite {
		return sql.Open("sqlite", "file:"+sqliteFile(e.dir)+"?_pragma=busy_timeout(5000)&_time_format=sqlite")
	}
	return sql.Open("pgx", e.servers.databaseURL())
}

// awaitReplicas waits until each replica answers its health check.
func (e *environment) awaitReplicas(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, r := range e.replicas {
		if err := r.awaitHealthy(ctx); err != nil {
			return err
		}
	}
	http.DefaultClient.CloseIdleConnections()
	return nil
}

// createConversations creates the users' clients and the conversations, which do not run yet.
func (e *environment) createConversations() {
	e.clients = map[string]*testclient.Client{}
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	e.cleanups = append(e.cleanups, func() error { transport.CloseIdleConnections(); return nil })
	for i := range e.Conversations {
		user := fmt.Sprintf("user%d", i%users)
		if e.clients[user] == nil {
			e.clients[user] = testclient.NewWithTransport(transport, e.balancer.url(), token(user))
		}
		name := fmt.Sprintf("c%d", i)
		e.conversations = append(e.conversations, &conversation{
			environment:   e,
			name:          name,
			user:          user,
			random:        e.random("conversation", i),
			changed:       make(chan struct{}),
			maxUnfinished: 1 + i%maxUnfinishedTurns,
		})
	}
	for i := range approvers {
		name := fmt.Sprintf("a%d", i)
		e.clients[name] = testclient.NewWithTransport(transport, e.balancer.url(), token(name))
		e.approvers = append(e.approvers, &approver{environment: e, name: name, random: e.random("approver", i)})
	}
}

// token returns a token of the user that outlives the run.
func token(user string) string {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(24 * time.Hour).Unix(),
	}).SignedString([]byte(tokenSecret))
	if err != nil {
		panic(err) // HS256 accepts any byte slice as the key
	}
	return signed
}

func (e *environment) client(user string) *testclient.Client { return e.clients[user] }

// abort ends the run because the test program itself failed.
func (e *environment) abort(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.harnessErr = errors.Join(e.harnessErr, err)
	e.stop()
}

// count increments a counter of the report.
func (e *environment) count(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[name]++
}

// printReport prints the injected faults and the counters.
func (e *environment) printReport() {
	if e.faults == nil {
		return
	}
	fmt.Fprintln(e.Out, "faults:", e.faults)
	switch {
	case e.Failover:
		fmt.Fprintln(e.Out, "failovers:", &e.servers)
	case !e.SQLite:
		fmt.Fprintln(e.Out, "full disk:", e.disk)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(e.counts)) {
		fmt.Fprintf(e.Out, "%8d %s\n", e.counts[name], name)
	}
}

// close stops the components in the reverse order of their start.
func (e *environment) close() error {
	var errs []error
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		errs = append(errs, e.cleanups[i]())
	}
	return errors.Join(errs...)
}
