// Command gen generates the GraphQL code: gqlgen's files, and next to them a field writer for every object type.
// Package fastjson describes what a field writer is for. "make generate" runs this command from the graph folder.
package main

import (
	"log"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

const (
	gqlgenFile       = "graph/generated/generated.go"
	fieldWritersFile = "graph/generated/fieldwriters.go"
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
	// gqlgen type-checks the package it writes to. A file of an earlier run may not compile with the changed schema.
	if err := os.RemoveAll(fieldWritersFile); err != nil {
		return err
	}
	cfg, err := config.LoadConfig("gqlgen.yml")
	if err != nil {
		return err
	}
	p := &fieldWriters{}
	if err := api.Generate(cfg, api.AddPlugin(p)); err != nil {
		return err
	}
	source, err := os.ReadFile(gqlgenFile)
	if err != nil {
		return err
	}
	if source, err = useFieldWriters(source, p.typeNames(), p.lists); err != nil {
		return err
	}
	return os.WriteFile(gqlgenFile, source, 0o644) //nolint:gosec // source code is world-readable
}
