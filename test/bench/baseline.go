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
	"sync"
	"time"

	"errand/internal/ids"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// baselineServer is the hand-written server to compare with: three endpoints over pgx without GraphQL, with the same
// token verification, the same rows and the same change log.
type baselineServer struct {
	pool *pgxpool.Pool
	key  []byte
	mu   sync.RWMutex
	ids  map[string]string // subject → user id
}

// serveBaseline prints its address and serves until the process is killed.
func serveBaseline(url, keyFile string) error {
	ctx := context.Background()
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	config.MaxConns = int32(4 * runtime.GOMAXPROCS(0)) //nolint:gosec // far below the maximum of int32
	config.MinConns = config.MaxConns
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	s := &baselineServer{pool: pool, key: key, ids: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tasks", s.handle(s.listTasks))
	mux.HandleFunc("POST /conversations", s.handle(s.listConversations))
	mux.HandleFunc("POST /create", s.handle(s.createTask))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}

type input struct {
	First int    `json:"first"`
	Title string `json:"title"`
}

func (s *baselineServer) handle(fn func(ctx context.Context, userID string, in input) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		userID, err := s.authenticate(r)
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var in input
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		out, err := fn(r.Context(), userID, in)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}

func (s *baselineServer) authenticate(r *http.Request) (string, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(
		token,
		&claims,
		func(*jwt.Token) (any, error) { return s.key, nil },
		jwt.WithValidMethods([]string{"HS256"}),
	)
	if err != nil {
		return "", err
	}
	s.mu.RLock()
	id, ok := s.ids[claims.Subject]
	s.mu.RUnlock()
	if ok {
		return id, nil
	}
	row := s.pool.QueryRow(r.Context(), `SELECT id FROM users WHERE subject = $1 AND issuer = $2`,
		claims.Subject, claims.Issuer)
	if err := row.Scan(&id); err != nil {
		return "", err
	}
	s.mu.Lock()
	s.ids[claims.Subject] = id
	s.mu.Unlock()
	return id, nil
}

type taskRow struct {
	ID        string    `json:"id"`
	Number    int       `json:"number"`
	Title     string    `json:"title"`
	Completed bool      `json:"completed"`
	Priority  string    `json:"priority"`
	CreatedAt time.Time `json:"createdAt"`
}

var priorities = [...]string{"NONE", "LOW", "MEDIUM", "HIGH", "URGENT"}

type taskPage struct {
	Tasks       []taskRow `json:"tasks"`
	HasNextPage bool      `json:"hasNextPage"`
}

func (s *baselineServer) listTasks(ctx context.Context, userID string, in input) (any, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, number, title, completed_at IS NOT NULL, priority, created_at
		FROM tasks WHERE user_id = $1 AND deleted_at IS NULL ORDER BY number DESC LIMIT $2`, userID, in.First+1)
	if err != nil {
		return nil, err
	}
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
	if len(found) > in.First {
		out.Tasks, out.HasNextPage = found[:in.First], true
	}
	return out, nil
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
	count    int
}

func (s *baselineServer) listConversations(ctx context.Context, userID string, in input) (any, error) {
	rows, err := s.pool.Query(
		ctx,
		`SELECT id, title, message_count FROM conversations WHERE user_id = $1 ORDER BY id DESC LIMIT $2`,
		userID,
		in.First,
	)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c *conversationRow, err error) {
		c = &conversationRow{}
		return c, r.Scan(&c.ID, &c.Title, &c.count)
	})
	if err != nil {
		return nil, err
	}
	byID := map[string]*conversationRow{}
	keys, after := make([]string, len(found)), make([]int, len(found))
	for i, c := range found {
		byID[c.ID], keys[i], after[i] = c, c.ID, c.count-10
	}
	rows, err = s.pool.Query(ctx, `SELECT m.conversation_id, m.id, m.position, m.role, m.content, m.status
		FROM unnest($1::text[], $2::int[]) AS c(id, after)
		CROSS JOIN LATERAL (SELECT * FROM messages WHERE conversation_id = c.id AND position > c.after
			ORDER BY position LIMIT 10) m`, keys, after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var m messageRow
		var conversation string
		if err := rows.Scan(&conversation, &m.ID, &m.Position, &m.Role, &m.Content, &m.Status); err != nil {
			return nil, err
		}
		c := byID[conversation]
		c.Messages = append(c.Messages, m)
	}
	return map[string]any{"conversations": found}, rows.Err()
}

func (s *baselineServer) createTask(ctx context.Context, userID string, in input) (any, error) {
	if in.Title == "" {
		return nil, errors.New("title is empty")
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(ctx) //nolint:errcheck // no effect after the commit
	var change, number int
	err = tx.QueryRow(ctx, `UPDATE users SET last_change = last_change + 1, last_task_number = last_task_number + 1
		WHERE id = $1 RETURNING last_change, last_task_number`, userID).Scan(&change, &number)
	if err != nil {
		return nil, err
	}
	now := ids.Now()
	t := taskRow{ID: ids.New(ids.Task)(), Number: number, Title: in.Title, Priority: "NONE", CreatedAt: now}
	_, err = tx.Exec(
		ctx,
		`INSERT INTO tasks (id, user_id, created_at, updated_at, number, title, description, priority, due_sort, labels,
			version)
		VALUES ($1, $2, $3, $3, $4, $5, '', 0, 253402300799999, '[]', 1)`,
		t.ID,
		userID,
		now,
		number,
		in.Title,
	)
	if err != nil {
		return nil, err
	}
	fields, _ := json.Marshal([]map[string]any{{"name": "title", "from": nil, "to": in.Title}})
	_, err = tx.Exec(
		ctx,
		`INSERT INTO task_changes (id, user_id, task_id, seq, kind, actor, client, task_version, fields, created_at)
		VALUES ($1, $2, $3, $4, 'CREATED', 'PERSON', '', 1, $5, $6)`,
		ids.New(ids.Change)(),
		userID,
		t.ID,
		change,
		fields,
		now,
	)
	if err != nil {
		return nil, err
	}
	return map[string]any{"task": t}, tx.Commit(ctx)
}
