package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"errand/migrations"

	"entgo.io/ent/dialect"
)

// schemaHash tells one set of migrations from another.
func schemaHash() (string, error) {
	files, err := migrations.Files(dialect.Postgres)
	if err != nil {
		return "", err
	}
	sum, err := migrations.Checksum(files)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256([]byte(sum.Sum()))
	return hex.EncodeToString(hash[:8]), nil
}

// migrate makes all tables, as a program that starts would.
func migrate(ctx context.Context, url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	if err := db.EnsureSchema(ctx, true); err != nil {
		return errors.Join(fmt.Errorf("migrating: %w", err), db.Close())
	}
	return db.Close()
}
