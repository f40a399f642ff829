// Package idempotency makes retries of mutations safe: it records the objects that a mutation created under the key
// that the client chose, in the transaction that creates them. A retry with the same key and input returns the same
// objects; another input is a CONFLICT. Package chat stores the keys of messages with the messages.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"errand/ent"
	"errand/ent/idempotencykey"
	"errand/internal/apperr"
	"errand/internal/ids"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/viewer"

	"entgo.io/ent/dialect/sql"
)

const (
	// MaxKey is the maximum length of a key, in characters.
	MaxKey = 255
	// Retention is how long a key is kept.
	Retention = 7 * 24 * time.Hour
	// maxKept is how many of a user's keys Purge keeps. Older ones are deleted before Retention is over.
	maxKept = 10_000
	// purgeBatch is how many keys Purge deletes in one statement.
	purgeBatch = 100
)

// Request identifies a request that may be a retry.
type Request struct {
	// Operation is the name of the mutation. Operations have separate keys.
	Operation string
	// Key is the client's key. A nil key means that the request is no retry.
	Key *string
	// Input is what the objects are created from, as a value that encodes to JSON.
	Input any
}

// Run returns the ids of the objects that an earlier request with the same key created, and replayed = true.
// Otherwise it runs create, which creates objects in tx and returns their ids, and records them. It locks the user's
// row until tx ends, so that concurrent requests with one key create objects once.
func Run(
	ctx context.Context,
	tx *ent.Tx,
	r Request,
	create func() ([]string, error),
) (created []string, replayed bool, err error) {
	if r.Key == nil {
		created, err = create()
		return created, false, err
	}
	hash, err := r.check()
	if err != nil {
		return nil, false, err
	}
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, false, err
	}
	if err := quota.QueueLock(ctx, tx, v.UserID); err != nil {
		return nil, false, err
	}
	earlier, err := r.find(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	if earlier != nil {
		if earlier.RequestHash != hash {
			return nil, false, apperr.New(apperr.Conflict, "This idempotency key was used with another input.")
		}
		return earlier.ResultIds, true, nil
	}
	if created, err = create(); err != nil {
		return nil, false, err
	}
	err = store.Queue(tx).IdempotencyKey.Create().
		SetOperation(r.Operation).
		SetIdempotencyKey(*r.Key).
		SetRequestHash(hash).
		SetResultIds(created).
		Exec(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("recording the idempotency key: %w", err)
	}
	return created, false, nil
}

// CheckKey validates a key. The error is BAD_USER_INPUT with the field idempotencyKey.
func CheckKey(key string) error {
	n := utf8.RuneCountInString(key)
	if n < 1 || n > MaxKey || !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return apperr.Invalid("idempotencyKey",
			"An idempotency key must be plain text of 1 to %d characters; this one has %d.", MaxKey, n)
	}
	return nil
}

// check validates the key and returns the hash of the input.
func (r Request) check() (hash string, err error) {
	if err := CheckKey(*r.Key); err != nil {
		return "", err
	}
	text, err := json.Marshal(r.Input)
	if err != nil {
		return "", fmt.Errorf("encoding the input of %s: %w", r.Operation, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// find returns the record of the viewer's key, or nil. It deletes a record that is no longer valid.
func (r Request) find(ctx context.Context, tx *ent.Tx) (*ent.IdempotencyKey, error) {
	found, err := tx.IdempotencyKey.Query().
		Where(idempotencykey.Operation(r.Operation), idempotencykey.IdempotencyKey(*r.Key)).
		Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the idempotency key: %w", err)
	}
	if ids.Now().Sub(found.CreatedAt) < Retention {
		return found, nil
	}
	if _, err := tx.IdempotencyKey.Delete().Where(idempotencykey.ID(found.ID)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("deleting an old idempotency key: %w", err)
	}
	return nil, nil
}

// Purge deletes the viewer's old keys, in small batches.
func Purge(ctx context.Context, client *ent.Client) error {
	expired := ids.Now().Add(-Retention)
	surplus, err := client.IdempotencyKey.Query().
		Order(idempotencykey.ByCreatedAt(sql.OrderDesc())).
		Offset(maxKept).
		Limit(1).
		All(ctx)
	if err != nil {
		return fmt.Errorf("reading idempotency keys: %w", err)
	}
	if len(surplus) > 0 && surplus[0].CreatedAt.After(expired) {
		expired = surplus[0].CreatedAt
	}
	for {
		old, err := client.IdempotencyKey.Query().
			Where(idempotencykey.CreatedAtLTE(expired)).
			Order(idempotencykey.ByCreatedAt()).
			Limit(purgeBatch).
			IDs(ctx)
		if err != nil || len(old) == 0 {
			return err
		}
		if _, err := client.IdempotencyKey.Delete().Where(idempotencykey.IDIn(old...)).Exec(ctx); err != nil {
			return fmt.Errorf("deleting old idempotency keys: %w", err)
		}
	}
}
