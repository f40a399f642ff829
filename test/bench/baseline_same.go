package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"errand/internal/ids"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sameWork is the server that does Errand's work: it reads and writes Errand's tables under row-level security, with
// the user set in the batch that has the statement. It caches user IDs, as Errand does.
type sameWork struct {
	ids sync.Map // subject → user ID
}

func (*sameWork) configure(c *pgxpool.Config) {
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE errand_app")
		return err
	}
}

// setUser sets the user, and avoids bitmap scans, which read all rows of a user, as Errand does.
const setUser = `SELECT set_config('errand.user_id', $1, true), set_config('enable_bitmapscan', 'off', true)`

// query executes a statement as the user, and collects its rows. Both statements of the batch are one round trip and
// one transaction.
func query(
	ctx context.Context,
	pool *pgxpool.Pool,
	userID string,
	collect func(pgx.Rows) (any, error),
	sql string,
	args ...any,
) (out any, err error) {
	batch := &pgx.Batch{}
	batch.Queue(setUser, userID)
	batch.Queue(sql, args...)
	results := pool.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	return collect(rows)
}

func (s *sameWork) user(ctx context.Context, pool *pgxpool.Pool, subject string) (string, error) {
	if id, ok := s.ids.Load(subject); ok {
		return id.(string), nil
	}
	id, err := query(ctx, pool, "system", func(rows pgx.Rows) (any, error) {
		return pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	}, `SELECT id FROM users WHERE subject = $1 AND issuer = $2`, subject, issuer)
	if err != nil {
		return "", fmt.Errorf("reading the user: %w", err)
	}
	s.ids.Store(subject, id)
	return id.(string), nil
}

func (*sameWork) tasks(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error) {
	return query(ctx, pool, userID, func(rows pgx.Rows) (any, error) { return collectTasks(rows, in.First) },
		`SELECT id, number, title, completed_at IS NOT NULL, priority, created_at FROM tasks
		WHERE user_id = $1 AND deleted_at IS NULL ORDER BY number DESC LIMIT $2`, userID, in.First+1)
}

func (*sameWork) conversations(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error) {
	return query(ctx, pool, userID, collectConversations,
		`SELECT c.id, c.title, m.id, m.position, m.role, m.content, m.status
		FROM (SELECT id, title FROM conversations WHERE user_id = $1 ORDER BY id DESC LIMIT $2) c
		CROSS JOIN LATERAL (SELECT id, position, role, content, status FROM messages
			WHERE conversation_id = c.id ORDER BY position DESC LIMIT 10) m
		ORDER BY c.id DESC, m.position`, userID, in.First)
}

// createSQL creates the task $2 of the user $1 with the title $3 and the terms $4, and its change $5 with the fields
// $6, which add $7 bytes. Without the key $8 ($9 and $10 are its record's ID and the hash of the input), or if it is
// new, it returns the task. Otherwise, and beyond the quotas, it does nothing and returns no row.
const createSQL = `
WITH key AS (
	INSERT INTO idempotency_keys (id, user_id, operation, idempotency_key, request_hash, result_ids, created_at)
	SELECT $9, $1, 'createTask', $8::text, $10, jsonb_build_array($2::text), now() WHERE $8::text IS NOT NULL
	ON CONFLICT DO NOTHING RETURNING id
),
owner AS (
	UPDATE users SET last_change = last_change + 1, last_task_number = last_task_number + 1, open_tasks = open_tasks + 1,
		stored_bytes = stored_bytes + $7
	WHERE id = $1 AND ($8::text IS NULL OR EXISTS (SELECT FROM key))
		AND open_tasks + completed_tasks + trashed_tasks < 1000000 AND stored_bytes + $7 < 1000000000000
	RETURNING last_change, last_task_number
),
task AS (
	INSERT INTO tasks (id, user_id, created_at, updated_at, number, title, labels, version, indexed_version, term_count)
	SELECT $2::text, $1, now(), now(), last_task_number, $3, '[]', 1, 1, cardinality($4::bytea[]) FROM owner
	RETURNING id, number, title, completed_at IS NOT NULL, priority, created_at
),
change AS (
	INSERT INTO task_changes (id, user_id, task_id, seq, kind, actor, task_version, fields, created_at)
	SELECT $5, $1, $2::text, last_change, 'CREATED', 'PERSON', 1, $6::jsonb, now() FROM owner
),
terms AS (
	INSERT INTO task_terms (user_id, term, task_number)
	SELECT $1, term, last_task_number FROM owner, unnest($4::bytea[]) term
)
SELECT * FROM task`

func (*sameWork) create(ctx context.Context, pool *pgxpool.Pool, userID string, in input) (any, error) {
	if in.Title == "" {
		return nil, errTitle
	}
	words := strings.Fields(strings.ToLower(in.Title))
	slices.Sort(words)
	words = slices.Compact(words)
	terms := make([][]byte, len(words))
	for i, w := range words {
		terms[i] = []byte(w)
	}
	fields, err := json.Marshal([]map[string]any{{"name": "title", "to": in.Title}})
	if err != nil {
		return nil, err
	}
	bytes := 400 + 2*len(in.Title) + 100*len(terms)
	hash := sha256.Sum256([]byte(in.Title))
	return query(ctx, pool, userID, func(rows pgx.Rows) (any, error) { return collectTasks(rows, 1) }, createSQL,
		userID, ids.New(ids.Task)(), in.Title, terms, ids.New(ids.Change)(), fields, bytes,
		in.IdempotencyKey, ids.New(ids.IdempotencyKey)(), hex.EncodeToString(hash[:]))
}
