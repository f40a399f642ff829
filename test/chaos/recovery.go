package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"errand/internal/stream/natsbus/natstest"
	"errand/internal/testclient"
	"errand/internal/testdb/cluster"

	"github.com/jackc/pgx/v5"
)

// recoveryGoal is the goal for the time from kill -9 to the next text, without the model's own time.
const recoveryGoal = 2 * time.Second

// recoveryBound is half of the default lease: a slower recovery means that the lease was waited for.
const recoveryBound = 7500 * time.Millisecond

// measureRecovery kills the replica that writes a reply, and measures the time until a client of another one receives
// the next text of the reply. On SQLite, it is the same server after its restart. It prints percentiles for each
// deployment, with the default lease.
func measureRecovery(ctx context.Context, o options, kills int) error {
	dir, err := os.MkdirTemp("", "errand-recovery-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := build(ctx, o, dir)
	if err != nil {
		return err
	}
	var errs []error
	for i, name := range []string{"PostgreSQL", "PostgreSQL with NATS", "SQLite"} {
		m := &recoveryRun{name: name, dir: filepath.Join(dir, fmt.Sprint(i)), binary: binary, random: o.random(name, 0)}
		err := errors.Join(m.run(ctx, kills), m.close())
		fmt.Fprintln(o.Out, m)
		if err == nil && slices.Max(m.times) > recoveryBound {
			err = errors.New("a lease was waited for")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// recoveryRun is the measurement of one deployment.
type recoveryRun struct {
	name, dir, binary string
	random            *rand.Rand
	model             *httptest.Server
	databaseURL       string // "" on SQLite
	replicas          []*replica
	transport         http.Transport
	cleanups          []func() error
	times             []time.Duration
}

// String returns the percentiles.
func (m *recoveryRun) String() string {
	if len(m.times) == 0 {
		return m.name + ": nothing was measured"
	}
	sorted := slices.Sorted(slices.Values(m.times))
	p50, p99 := sorted[len(sorted)/2], sorted[(len(sorted)*99)/100]
	verdict := "within"
	if p99 > recoveryGoal {
		verdict = "above"
	}
	return fmt.Sprintf("%s: kill -9 to next text, %d kills: p50 %s, p99 %s, %s the goal of %s", m.name, len(sorted),
		p50.Round(time.Millisecond), p99.Round(time.Millisecond), verdict, recoveryGoal)
}

func (m *recoveryRun) run(ctx context.Context, kills int) error {
	if err := m.start(ctx); err != nil {
		return err
	}
	for i := range kills {
		took, err := m.trial(ctx, i)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		m.times = append(m.times, took)
	}
	return nil
}

func (m *recoveryRun) start(ctx context.Context) error {
	if err := os.Mkdir(m.dir, 0o700); err != nil {
		return err
	}
	m.model = httptest.NewServer(http.HandlerFunc(writeSteadyText))
	m.cleanups = append(m.cleanups, func() error { m.model.CloseClientConnections(); m.model.Close(); return nil })
	environ := []string{
		"ADMIN_ADDR=off", "BETTER_AUTH_SECRET=" + tokenSecret, "DB_MAX_CONNS=8", "LLM_PROVIDER=openai",
		"OPENAI_BASE_URL=" + m.model.URL + "/v1", "LLM_MODEL=steady", "LLM_TITLES=false", "MESSAGES_PER_MINUTE=100000",
	}
	names := []string{"a", "b", "c"}
	if m.name == "SQLite" {
		r, err := newReplicaOn("a", m.dir, m.binary, "sqlite:"+filepath.Join(m.dir, "errand.db"), environ)
		return m.startReplica(ctx, r, err)
	}
	if strings.Contains(m.name, "NATS") {
		bus, err := natstest.Launch(ctx, m.dir)
		if err != nil {
			return err
		}
		m.cleanups = append(m.cleanups, func() error { bus.Kill(); return nil })
		environ = append(environ, "NATS_URL="+bus.URL())
	}
	postgres, err := cluster.New(ctx)
	if err != nil {
		return err
	}
	m.cleanups = append(m.cleanups, postgres.Close)
	conn, err := pgx.Connect(ctx, postgres.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE chaos")
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		return err
	}
	m.databaseURL = postgres.URL("chaos")
	for _, name := range names {
		r, err := newReplicaOn(name, m.dir, m.binary, m.databaseURL, environ)
		if err := m.startReplica(ctx, r, err); err != nil {
			return err
		}
	}
	return nil
}

func (m *recoveryRun) startReplica(ctx context.Context, r *replica, err error) error {
	if err != nil {
		return err
	}
	m.replicas = append(m.replicas, r)
	m.cleanups = append(m.cleanups, r.close)
	if err := r.start(); err != nil {
		return err
	}
	return r.awaitHealthy(ctx)
}

func (m *recoveryRun) close() error {
	m.transport.CloseIdleConnections()
	var errs []error
	for _, cleanup := range slices.Backward(m.cleanups) {
		errs = append(errs, cleanup())
	}
	return errors.Join(errs...)
}

func (m *recoveryRun) client(r *replica) *testclient.Client {
	return testclient.NewWithTransport(&m.transport, "http://"+r.addr, token("user"))
}

// trial sends a message, kills the replica that writes the reply, and returns the time until the next text.
func (m *recoveryRun) trial(ctx context.Context, n int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	sender := m.replicas[n%len(m.replicas)]
	var data struct {
		SendMessage struct {
			Conversation     struct{ ID string }
			AssistantMessage struct{ ID string }
		}
	}
	in := testclient.Vars{"in": testclient.Vars{"content": fmt.Sprint("message ", n)}}
	if err := m.send(ctx, sender, sendDoc, in, &data); err != nil {
		return 0, err
	}
	conversation, reply := data.SendMessage.Conversation.ID, data.SendMessage.AssistantMessage.ID
	s, err := m.follow(ctx, sender, conversation, nil)
	if err != nil {
		return 0, err
	}
	for s.stream.Text(reply) == "" {
		if _, err := s.stream.TryNextEvent(ctx); err != nil {
			return 0, err
		}
	}
	victim, survivor, err := m.victimAndSurvivor(ctx, reply)
	if err != nil {
		return 0, err
	}
	if s, err = m.moveTo(ctx, s, survivor, conversation, reply); err != nil {
		return 0, err
	}
	sleep(ctx, time.Duration(m.random.Int64N(int64(500*time.Millisecond))))
	killed := time.Now()
	if err := victim.signal(syscall.SIGKILL, 0); err != nil {
		return 0, err
	}
	if err := m.awaitRewind(ctx, s, survivor, conversation); err != nil {
		return 0, err
	}
	took := time.Since(killed)
	s.socket.Close()
	if err := m.send(ctx, survivor, cancelDoc, testclient.Vars{"id": reply}, nil); err != nil {
		return 0, err
	}
	return took, victim.awaitHealthy(ctx)
}

// followed is a stream with its socket.
type followed struct {
	socket *testclient.Socket
	stream *testclient.Stream
}

// follow subscribes on a replica, from the state of an earlier stream if there is one.
func (m *recoveryRun) follow(ctx context.Context, r *replica, conversation string, from *testclient.Stream) (
	f followed, err error,
) {
	if f.socket, err = m.client(r).TryDial(ctx); err != nil {
		return f, err
	}
	if from == nil {
		f.stream, err = f.socket.TryFollow(conversation, "")
	} else {
		f.stream, err = f.socket.Resume(conversation, from)
	}
	return f, err
}

// moveTo continues the stream on another replica, and waits for text there.
func (m *recoveryRun) moveTo(
	ctx context.Context,
	s followed,
	r *replica,
	conversation, reply string,
) (followed, error) {
	before := s.stream.Text(reply)
	s.socket.Close()
	s, err := m.follow(ctx, r, conversation, s.stream)
	for err == nil && len(s.stream.Text(reply)) <= len(before) {
		_, err = s.stream.TryNextEvent(ctx)
	}
	return s, err
}

// awaitRewind waits until the text of the reply begins again, which the next attempt does. On the survivor of a single
// server, it connects again.
func (m *recoveryRun) awaitRewind(ctx context.Context, s followed, survivor *replica, conversation string) error {
	for rewinds := s.stream.Rewinds; ; {
		_, err := s.stream.TryNextEvent(ctx)
		if err == nil && s.stream.Rewinds > rewinds {
			return nil
		}
		for err != nil {
			if ctx.Err() != nil || len(m.replicas) > 1 {
				return err
			}
			s.socket.Close()
			sleep(ctx, 5*time.Millisecond)
			var next followed
			if next, err = m.follow(ctx, survivor, conversation, s.stream); err == nil {
				rewinds, s = next.stream.Rewinds, next
			}
		}
	}
}

// victimAndSurvivor returns the replica that writes the reply, and another one, or the same on SQLite.
func (m *recoveryRun) victimAndSurvivor(ctx context.Context, reply string) (victim, survivor *replica, err error) {
	if m.databaseURL == "" {
		return m.replicas[0], m.replicas[0], nil
	}
	conn, err := pgx.Connect(ctx, m.databaseURL)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close(ctx)
	var worker string
	if err := conn.QueryRow(ctx, "SELECT worker FROM runs WHERE message_id = $1", reply).Scan(&worker); err != nil {
		return nil, nil, err
	}
	for i, r := range m.replicas {
		if strings.HasPrefix(worker, r.name+"-") {
			return r, m.replicas[(i+1+m.random.IntN(len(m.replicas)-1))%len(m.replicas)], nil
		}
	}
	return nil, nil, fmt.Errorf("the reply has no writer: %q", worker)
}

// send executes an operation on a replica.
func (m *recoveryRun) send(ctx context.Context, r *replica, document string, vars testclient.Vars, into any) error {
	response, err := m.client(r).Do(ctx, document, vars)
	switch {
	case err != nil:
		return err
	case len(response.Errors) > 0:
		return response.Errors
	case into == nil:
		return nil
	default:
		return json.Unmarshal(response.Data, into)
	}
}

// writeSteadyText is a model that writes a word every 25 ms, from the moment of the request, for ten seconds.
func writeSteadyText(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 400 {
		if _, err := fmt.Fprint(w, sseEvent(map[string]any{"content": fmt.Sprint("word", i, " ")}, nil)); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		sleep(r.Context(), 25*time.Millisecond)
		if r.Context().Err() != nil {
			return
		}
	}
	fmt.Fprint(w, sseEvent(map[string]any{}, "stop"), "data: [DONE]\n\n")
}
