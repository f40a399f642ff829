package fastjson_test

import (
	"bytes"
	"fmt"
	"os"

	"errand/graph/fastjson"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

type city struct {
	name       string
	population int
}

// cityWriter has the form of the functions that graph/gen generates for each object type.
func cityWriter(field graphql.CollectedField) fastjson.FieldWriter[*city] {
	switch field.Name {
	case "name":
		return func(b *bytes.Buffer, c *city) bool { fastjson.String(b, c.name); return true }
	case "population":
		return func(b *bytes.Buffer, c *city) bool { fastjson.Int(b, c.population); return true }
	default: // such as a field with a resolver
		return nil
	}
}

func ExampleMarshal() {
	selection := ast.SelectionSet{
		&ast.Field{Name: "name", Alias: "city"},
		&ast.Field{Name: "population", Alias: "population"},
	}
	op := &graphql.OperationContext{}
	budget := fastjson.NewBudget(1 << 10) // bytes of the response
	budget.Attach(op)

	m := fastjson.Marshal(op, selection, nil, cityWriter, &city{name: "Bern", population: 134_000})
	m.MarshalGQL(os.Stdout)
	fmt.Println()

	selection = append(selection, &ast.Field{Name: "weather", Alias: "weather"})
	fmt.Println(fastjson.Marshal(op, selection, nil, cityWriter, &city{}) == nil) // gqlgen must resolve it
	// Output:
	// {"city":"Bern","population":134000}
	// true
}
