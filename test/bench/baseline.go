package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// baselineCommand is the first argument of this program when it runs as a hand-written server.
const baselineCommand = "handwritten"

// The hand-written servers to compare with. Both verify an HS256 token with golang-jwt, execute one round trip for a
// request over a warm pgx pool, encode with encoding/json, and have neither GraphQL nor an access log.
//
// minimal (baseline_minimal.go) has the simplest tables for these four requests and nothing else: what a developer
// writes by hand for this alone. A created task is one INSERT.
//
// same work (baseline_same.go) reads and writes Errand's tables under row-level security as Errand does. A created task
// changes the user's counters within the quotas, and stores the change log, the search terms and an idempotency key,
// all in one statement.
const (
	minimalServer = "minimal"
	sameServer    = "same work"
)

// baseline executes the requests of a hand-written server.
type baseline interface {
	// configure sets up the connections of the pool.
	configure(*pgxpool.Config)
	// user returns the user ID of a verified token's subject.
	user(ctx context.Context, pool *pgxpool.Pool, subject string) (string, error)
	tasks(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error)
	conversations(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error)
	create(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error)
}

// input is the body of each request.
type input struct {
	First          int     `json:"first,omitempty"`
	Title          string  `json:"title,omitempty"`
	IdempotencyKey *string `json:"idempotencyKey,omitempty"`
}

// serveBaseline prints its address and serves until the process is killed.
func serveBaseline(name, url string) error {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	var b baseline = minimal{}
	if name == sameServer {
		b = &sameWork{}
	}
	config.MaxConns = int32(4 * runtime.GOMAXPROCS(0)) //nolint:gosec // far below the maximum of int32
	config.MinConns = config.MaxConns
	b.configure(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tasks", handle(b, pool, b.tasks))
	mux.HandleFunc("POST /conversations", handle(b, pool, b.conversations))
	mux.HandleFunc("POST /create", handle(b, pool, b.create))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

type endpoint func(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error)

func handle(b baseline, pool *pgxpool.Pool, fn endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		subject, err := verify(r.Header.Get("Authorization"))
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var in input
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		userID, err := b.user(r.Context(), pool, subject)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		out, err := fn(r.Context(), pool, userID, in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}

// verify returns the subject of the token in an Authorization header.
func verify(header string) (string, error) {
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(
		strings.TrimPrefix(header, "Bearer "),
		&claims,
		func(*jwt.Token) (any, error) { return []byte(tokenSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(issuer),
		jwt.WithExpirationRequired(),
	)
	return claims.Subject, err
}

type taskRow struct {
	ID        string    `json:"id"`
	Number    int       `json:"number"`
	Title     string    `json:"title"`
	Completed bool      `json:"completed"`
	Priority  string    `json:"priority"`
	CreatedAt time.Time `json:"createdAt"`
}

type taskPage struct {
	Tasks       []taskRow `json:"tasks"`
	HasNextPage bool      `json:"hasNextPage"`
}

type messageRow struct {
	ID       string `json:"id"`
	Position int    `json:"position"`
	Role     string `json:"role"`
	Content  string `json:"content"`
	Status   string `json:"status"`
}

type conversationRow struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Messages []messageRow `json:"messages"`
}

var priorities = [...]string{"NONE", "LOW", "MEDIUM", "HIGH", "URGENT"}

// collectTasks reads rows of (id, number, title, completed, priority, created_at) as a page of the given size.
func collectTasks(rows pgx.Rows, first int) (any, error) {
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t taskRow, err error) {
		var p int
		err = r.Scan(&t.ID, &t.Number, &t.Title, &t.Completed, &p, &t.CreatedAt)
		t.Priority = priorities[p]
		return t, err
	})
	if err != nil {
		return nil, err
	}
	out := taskPage{Tasks: found}
	if len(found) > first {
		out.Tasks, out.HasNextPage = found[:first], true
	}
	return out, nil
}

// collectConversations reads rows of (conversation's id, title, message's id, position, role, content, status), which
// are ordered by conversation.
func collectConversations(rows pgx.Rows) (any, error) {
	defer rows.Close()
	var found []conversationRow
	for rows.Next() {
		var c conversationRow
		var m messageRow
		if err := rows.Scan(&c.ID, &c.Title, &m.ID, &m.Position, &m.Role, &m.Content, &m.Status); err != nil {
			return nil, err
		}
		if len(found) == 0 || found[len(found)-1].ID != c.ID {
			found = append(found, c)
		}
		last := &found[len(found)-1]
		last.Messages = append(last.Messages, m)
	}
	return map[string]any{"conversations": found}, rows.Err()
}

var errTitle = errors.New("title is empty")
