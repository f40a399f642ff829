// Command gen generates the Ent code from ent/schema and ent/template. "make generate" runs it from the ent folder.
package main

import (
	"log"

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
}
