package main

import (
	"io"

	"errand/graph"

	"github.com/spf13/cobra"
)

func newSchemaCommand(inv *invocation) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the GraphQL schema (SDL), for code generators and editors",
		Args:  refuseArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(inv.stdout, graph.SDL())
			return err
		},
	}
}
