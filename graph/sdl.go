package graph

import (
	"bytes"

	"errand/graph/generated"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// deferDirective is the only directive for queries that tools do not know by themselves.
const deferDirective = "defer"

// SDL returns the whole schema in the schema definition language, with descriptions and the directive @defer. Types are
// in alphabetical order.
func SDL() string {
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: &Resolver{}}).Schema()
	directive := *schema.Directives[deferDirective]
	directive.Position = nil // otherwise the formatter skips it as built in
	var b bytes.Buffer
	f := formatter.NewFormatter(&b, formatter.WithIndent("  "))
	f.FormatSchemaDocument(&ast.SchemaDocument{Directives: ast.DirectiveDefinitionList{&directive}})
	f.FormatSchema(schema)
	return b.String()
}
