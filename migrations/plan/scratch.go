package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"errand/internal/testdb/cluster"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"go.jetify.com/typeid"
)

// createScratch creates an empty database and returns its URL and a function that removes it.
func createScratch(ctx context.Context, dialectName string) (url string, remove func() error, err error) {
	if dialectName == dialect.SQLite {
		dir, err := os.MkdirTemp("", "errand-plan-")
		return "sqlite:" + filepath.Join(dir, "scratch.db"), func() error { return os.RemoveAll(dir) }, err
	}
	c, err := cluster.Shared(ctx)
	if err != nil {
		return "", nil, err
	}
	name := typeid.Must(typeid.WithPrefix("scratch")).String()
	if err := execAsAdmin(ctx, c, "CREATE DATABASE "+name); err != nil {
		return "", nil, errors.Join(err, c.Release())
	}
	return c.URL(name), func() error {
		return errors.Join(execAsAdmin(context.WithoutCancel(ctx), c, "DROP DATABASE "+name), c.Release())
	}, nil
}

// execAsAdmin executes a statement in the maintenance database of the cluster.
func execAsAdmin(ctx context.Context, c *cluster.Cluster, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
