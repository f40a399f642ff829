package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"errand/internal/testclient"
	"errand/internal/testdb/cluster"

	"github.com/jackc/pgx/v5"
)

// writeTimeout bounds the time after a promotion within which each replica must write again.
const writeTimeout = 30 * time.Second

// failoverKinds are the faults of a run with -failover. Its tables are on no file system of limited size.
var failoverKinds = []fault{
	{"failover", 30, failOver},
	{"read-only database", 20, makeReadOnly},
	{"kill -9", 20, (*injector).kill},
	{"cut database connections", 15, (*injector).cutDatabase},
	{"cut clients", 8, func(f *injector, _ context.Context) { f.balancer.closeConns() }},
}

// servers are the standby of environment.postgres and the figures of the failovers.
type servers struct {
	standby *cluster.Cluster // nil without -failover, and while there is none
	// standbySlot is the index of the proxies to the standby.
	standbySlot int
	// url is that of the database on the present primary, a string.
	url atomic.Value
	// writeTimes are the times from a promotion to the first write of each replica.
	writeTimes []time.Duration
}

// startServers starts the primary, and with -failover its standby.
func (e *environment) startServers(ctx context.Context) (err error) {
	create := cluster.New
	if e.Failover {
		create = cluster.NewPrimary
	}
	if e.postgres, err = create(ctx); err != nil {
		return err
	}
	e.servers.url.Store(e.postgres.URL("chaos"))
	e.cleanups = append(e.cleanups, func() error {
		if e.servers.standby != nil {
			return errors.Join(e.servers.standby.Close(), e.postgres.Close())
		}
		return e.postgres.Close()
	})
	return nil
}

// addStandby starts a standby, and makes each commit wait for it: a failover loses nothing that a client was told.
func (e *environment) addStandby(ctx context.Context) (err error) {
	if e.servers.standby, err = e.postgres.NewStandby(ctx); err != nil {
		return fmt.Errorf("starting a standby: %w", err)
	}
	conn, err := pgx.Connect(ctx, e.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range []string{
		"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return awaitTrue(ctx, conn, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
}

// awaitTrue waits for a minute at most until the query returns true.
func awaitTrue(ctx context.Context, conn *pgx.Conn, query string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var done bool
		if err := conn.QueryRow(ctx, query, args...).Scan(&done); err != nil || done {
			return err
		}
		sleep(ctx, 5*time.Millisecond)
	}
}

// socketDir returns the directory with the server's socket.
func socketDir(c *cluster.Cluster) string {
	u, err := url.Parse(c.URL("postgres"))
	if err != nil {
		panic(err) // the cluster has made it
	}
	return u.Query().Get("host")
}

// failOver ends the primary, by a crash or by making it read-only with its connections open, and promotes the standby.
// Then it measures when each replica writes again, and adds a standby to the new primary.
func failOver(f *injector, ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if err := promoteStandby(ctx, f.environment, f.random.IntN(2) == 0); err != nil {
		f.abort(fmt.Errorf("failover: %w", err))
	}
}

func promoteStandby(ctx context.Context, e *environment, crash bool) error {
	probed := healthyReplicas(ctx, e.replicas)
	former := e.postgres
	end := func() error { return former.Stop(ctx, true) }
	if !crash {
		end = func() error { return demote(ctx, former) }
	}
	if err := errors.Join(end(), e.servers.standby.Promote(ctx)); err != nil {
		return err
	}
	promoted := time.Now()
	e.postgres, e.servers.standby = e.servers.standby, nil
	e.servers.url.Store(e.postgres.URL("chaos"))
	measureWrites(ctx, e, probed, promoted)
	if err := former.Close(); err != nil {
		return err
	}
	if err := e.addStandby(ctx); err != nil {
		return err
	}
	slot := 1 - e.servers.standbySlot
	for _, r := range e.replicas {
		r.proxies[slot].redirect(socketDir(e.servers.standby))
	}
	e.servers.standbySlot = slot
	return nil
}

// healthyReplicas returns the replicas that serve at the moment.
func healthyReplicas(ctx context.Context, replicas []*replica) (healthy []*replica) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	for _, r := range replicas {
		if r.awaitHealthy(ctx) == nil {
			healthy = append(healthy, r)
		}
	}
	return healthy
}

// demote makes the primary read-only, and waits until the standby has all of its changes.
func demote(ctx context.Context, primary *cluster.Cluster) error {
	if err := setReadOnly(ctx, primary, true); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, primary.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return awaitTrue(ctx, conn, `SELECT pg_current_wal_flush_lsn() <= max(replay_lsn) FROM pg_stat_replication`)
}

// setReadOnly makes all transactions read-only that begin from now on, or ends that.
func setReadOnly(ctx context.Context, c *cluster.Cluster, on bool) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %t", on)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
	return err
}

// makeReadOnly makes the database read-only for up to two seconds, with its connections open.
func makeReadOnly(f *injector, ctx context.Context) {
	hold := f.randomDuration(2 * time.Second)
	if setReadOnly(ctx, f.postgres, true) != nil {
		return // the server is being restarted
	}
	sleep(ctx, hold)
	for setReadOnly(context.WithoutCancel(ctx), f.postgres, false) != nil {
		sleep(context.WithoutCancel(ctx), 50*time.Millisecond)
	}
}

const createConversationDoc = `mutation { createConversation(input: {}) { conversation { id } } }`

// measureWrites writes to each of the replicas until that succeeds.
func measureWrites(ctx context.Context, e *environment, replicas []*replica, promoted time.Time) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var group sync.WaitGroup
	var mu sync.Mutex
	for _, r := range replicas {
		group.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := testclient.NewWithTransport(transport, "http://"+r.addr, token("prober"))
			for ctx.Err() == nil {
				response, err := client.Do(ctx, createConversationDoc, nil)
				if err == nil && response.Status == http.StatusOK && len(response.Errors) == 0 {
					mu.Lock()
					defer mu.Unlock()
					e.servers.writeTimes = append(e.servers.writeTimes, time.Since(promoted))
					return
				}
				sleep(ctx, 10*time.Millisecond)
			}
			e.violations.add("replica %s has not written within %s of a promotion", r.name, writeTimeout)
		})
	}
	group.Wait()
}

func (s *servers) databaseURL() string { return s.url.Load().(string) }

// String returns the figures of the failovers.
func (s *servers) String() string {
	if len(s.writeTimes) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(s.writeTimes))
	return fmt.Sprintf("from promotion to the next write of a replica, %d times: p50 %s, maximum %s", len(sorted),
		sorted[len(sorted)/2].Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond))
}
