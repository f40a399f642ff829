package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	entmigrate "errand/ent/migrate"
)

// schemaHash tells one set of tables from another.
func schemaHash() string {
	h := sha256.New()
	for _, table := range entmigrate.Tables {
		fmt.Fprintln(h, table.Name)
		for _, c := range table.Columns {
			fmt.Fprintln(h, c.Name, c.Type, c.Nullable, c.Size, c.Default)
		}
		for _, i := range table.Indexes {
			fmt.Fprintln(h, i.Name, i.Unique, len(i.Columns))
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// migrate makes all tables.
func migrate(ctx context.Context, url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	return errors.Join(db.Client().Schema.Create(ctx), db.Close())
}
