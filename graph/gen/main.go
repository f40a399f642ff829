// Gen generates the GraphQL code: gqlgen's, and beside it the plans by which
// selections of plain values are written without a step per field.
package main

import (
	"log"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	if err := run(); err != nil {
		log.Fatalf("generating graph: %v", err)
	}
}

func run() error {
	if err := os.Chdir(".."); err != nil {
		return err
	}
	// What an earlier run made beside gqlgen's file would not compile with a changed schema.
	if err := os.RemoveAll(plansFile); err != nil {
		return err
	}
	cfg, err := config.LoadConfig("gqlgen.yml")
	if err != nil {
		return err
	}
	p := &plans{}
	if err := api.Generate(cfg, api.AddPlugin(p)); err != nil {
		return err
	}
	return p.hook()
}
