// Command gen generates the Ent code from ent/schema and ent/template. "make generate" runs it from the ent folder.
package main

import (
	"log"
	"os"

	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
)

func main() {
	err := entc.Generate("./schema",
		&gen.Config{
			Features: []gen.Feature{gen.FeaturePrivacy, gen.FeatureUpsert, gen.FeatureExecQuery, gen.FeatureModifier},
		},
		entc.TemplateDir("./template"),
	)
	if err != nil {
		log.Fatalf("generating ent: %v", err)
	}
	// It needs Client.Schema, which ent/template/client.tmpl leaves out. Tests use internal/testdb.
	if err := os.RemoveAll("enttest"); err != nil {
		log.Fatalf("removing enttest: %v", err)
	}
}
