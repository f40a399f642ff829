package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"
	"errand/internal/testdb"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// committedSchema returns the schema of graph/*.graphqls.
func committedSchema(t *testing.T) *ast.Schema {
	t.Helper()
	names, err := filepath.Glob("../../graph/*.graphqls")
	require.NoError(t, err)
	var sources []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return schema
}

// introspectionResult is the part of an introspection response that the test compares.
type introspectionResult struct {
	Schema struct {
		Types []struct {
			Kind, Name, Description, SpecifiedByURL string
			Fields                                  []struct {
				Name, Description string
				Type              typeRef
				Args              []inputValue
			}
			InputFields []inputValue
			EnumValues  []struct{ Name, Description string }
			Interfaces  []struct{ Name string }
		}
	} `json:"__schema"`
}

type inputValue struct {
	Name, Description string
	Type              typeRef
	DefaultValue      *string
}

type typeRef struct {
	Kind, Name string
	OfType     *typeRef
}

// String formats a type as in the SDL.
func (r typeRef) String() string {
	switch r.Kind {
	case "NON_NULL":
		return r.OfType.String() + "!"
	case "LIST":
		return "[" + r.OfType.String() + "]"
	default:
		return r.Name
	}
}

const introspectionQuery = `{ __schema { types { kind name description specifiedByURL interfaces { name }
	fields(includeDeprecated: true) { name description type { ...T } args { name description defaultValue type { ...T } } }
	inputFields { name description defaultValue type { ...T } } enumValues { name description } } } }
	fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }`

// TestSchema_Introspection_EqualsSDL compares each member and its description, which must not be empty, with the
// committed SDL and with the output of "errand schema".
func TestSchema_Introspection_EqualsSDL(t *testing.T) {
	t.Parallel()
	b := harness.Start(t, testdb.SQLiteURL(t))
	var served []string
	schema := testclient.Run[introspectionResult](t, b.Client(t, "alice"), introspectionQuery, nil).Schema
	for _, one := range schema.Types {
		if strings.HasPrefix(one.Name, "__") || isBuiltIn(one.Name) {
			continue
		}
		var interfaces []string
		for _, i := range one.Interfaces {
			interfaces = append(interfaces, i.Name)
		}
		served = append(
			served,
			schemaLine(one.Name, one.Kind+" "+strings.Join(interfaces, "&")+one.SpecifiedByURL, one.Description),
		)
		for _, f := range one.Fields {
			served = append(served, schemaLine(one.Name+"."+f.Name, f.Type.String(), f.Description))
			for _, a := range f.Args {
				served = append(served, schemaLine(one.Name+"."+f.Name+"("+a.Name+")", a.signature(), a.Description))
			}
		}
		for _, f := range one.InputFields {
			served = append(served, schemaLine(one.Name+"."+f.Name, f.signature(), f.Description))
		}
		for _, v := range one.EnumValues {
			served = append(served, schemaLine(one.Name+"."+v.Name, "", v.Description))
		}
	}
	want := schemaMembers(committedSchema(t))
	require.Greater(t, len(want), 200)
	require.Empty(t, difference(want, served), "committed and not served: generate")
	require.Empty(t, difference(served, want), "served and not committed: generate")
	for _, one := range want {
		require.NotContains(t, one, " undescribed")
	}

	sdl, err := gqlparser.LoadSchema(&ast.Source{Name: "errand schema", Input: harness.RunCommand(t, nil, "schema")})
	require.NoError(t, err)
	require.ElementsMatch(t, want, schemaMembers(sdl))
}

// difference returns the elements of list that other does not contain.
func difference(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(one string) bool { return slices.Contains(other, one) })
}

func isBuiltIn(name string) bool {
	return slices.Contains([]string{"Int", "Float", "String", "Boolean", "ID"}, name)
}

// schemaLine is a line of the comparison.
func schemaLine(coordinate, signature, description string) string {
	if strings.TrimSpace(description) == "" {
		description = "undescribed"
	}
	return fmt.Sprintf("%s: %s %s", coordinate, signature, description)
}

func (v inputValue) signature() string {
	if v.DefaultValue == nil {
		return v.Type.String()
	}
	return v.Type.String() + " = " + *v.DefaultValue
}

func signature(typ *ast.Type, fallback *ast.Value) string {
	if fallback == nil {
		return typ.String()
	}
	return typ.String() + " = " + fallback.String()
}

func schemaMembers(schema *ast.Schema) (out []string) {
	for _, def := range schema.Types {
		if def.BuiltIn || isBuiltIn(def.Name) {
			continue
		}
		out = append(
			out,
			schemaLine(def.Name, string(def.Kind)+" "+strings.Join(def.Interfaces, "&")+specifiedByURL(def), def.Description),
		)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			out = append(out, schemaLine(def.Name+"."+f.Name, signature(f.Type, f.DefaultValue), f.Description))
			for _, a := range f.Arguments {
				out = append(out, schemaLine(def.Name+"."+f.Name+"("+a.Name+")", signature(a.Type, a.DefaultValue), a.Description))
			}
		}
		for _, v := range def.EnumValues {
			out = append(out, schemaLine(def.Name+"."+v.Name, "", v.Description))
		}
	}
	return out
}

// specifiedByURL returns the URL of a scalar's specification, or "".
func specifiedByURL(def *ast.Definition) string {
	directive := def.Directives.ForName("specifiedBy")
	if directive == nil {
		return ""
	}
	return directive.Arguments.ForName("url").Value.Raw
}
