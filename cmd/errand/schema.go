package main

import (
	"context"
	"io"

	"errand/graph"
)

// runSchema prints the GraphQL schema, for code generators and editors.
func runSchema(_ context.Context, inv invocation) error {
	if err := newFlags(inv).Parse(inv.args); err != nil {
		return err
	}
	_, err := io.WriteString(inv.stdout, graph.SDL())
	return err
}
