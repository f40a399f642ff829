// Command postgres starts a PostgreSQL server for a suite, writes the URL of its empty database to standard output, and
// stops it when standard input ends, which also happens when the suite is killed.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"errand/internal/testdb/cluster"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	c, err := cluster.New(context.Background())
	if err != nil {
		return err
	}
	fmt.Println(c.URL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return c.Close()
}
