package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"errand/ent"
	"errand/ent/rule"
	"errand/internal/store"
)

// A function that returns an error leaves no trace in the database.
func ExampleWithTx() {
	dir, err := os.MkdirTemp("", "errand-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := rule.System(context.Background())
	db, err := store.Open(ctx, store.Options{
		URL:    "sqlite:" + filepath.Join(dir, "errand.db"),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	if err := db.EnsureSchema(ctx, true); err != nil {
		panic(err)
	}

	err = store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		if err := tx.User.Create().SetSubject("alice").Exec(ctx); err != nil {
			return err
		}
		return errors.New("second thoughts")
	})
	fmt.Println(err)
	fmt.Println(db.Client().User.Query().CountX(ctx))

	err = store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		return tx.User.Create().SetSubject("alice").Exec(ctx)
	})
	fmt.Println(err)
	fmt.Println(db.Client().User.Query().CountX(ctx))
	// Output:
	// second thoughts
	// 0
	// <nil>
	// 1
}
