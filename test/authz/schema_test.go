package authz

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"errand/internal/testclient"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// schemaSurface is the GraphQL schema, from which the attacks are generated.
type schemaSurface struct{ *ast.Schema }

// loadSchemaSurface parses the SDL files of the server.
func loadSchemaSurface(t testing.TB) schemaSurface {
	t.Helper()
	names, err := filepath.Glob("../../graph/*.graphqls")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var sources []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return schemaSurface{schema}
}

// roots returns the fields of the given root types.
func (s schemaSurface) roots(kinds ...*ast.Definition) (out []rootField) {
	for _, kind := range kinds {
		for _, f := range kind.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				out = append(out, rootField{operation: kind.Name, field: f})
			}
		}
	}
	return out
}

// rootField is a field of Query, Mutation or Subscription.
type rootField struct {
	operation string
	field     *ast.FieldDefinition
}

func (r rootField) String() string { return r.operation + "." + r.field.Name }

// selection returns a selection set with every field below a type. A type is not selected below itself, so recursion
// ends. extra adds arguments by field coordinate.
func (s schemaSurface) selection(typeName string, above []string, extra map[string]string) string {
	return s.fieldsOf(typeName, "", above, extra)
}

// fieldsOf is selection with an alias prefix, which keeps the fields of the possible types of an abstract type apart.
// It returns "-" for a type that is in above.
func (s schemaSurface) fieldsOf(typeName, prefix string, above []string, extra map[string]string) string {
	def := s.Types[typeName]
	if def.IsLeafType() {
		return ""
	}
	if slices.Contains(above, typeName) {
		return "-"
	}
	above = append(slices.Clone(above), typeName)
	var b strings.Builder
	b.WriteString(" { __typename")
	if def.IsAbstractType() {
		for _, possible := range s.PossibleTypes[typeName] {
			if inner := s.fieldsOf(possible.Name, possible.Name+"_", above, extra); inner != "-" {
				b.WriteString(" ... on " + possible.Name + inner)
			}
		}
		return b.String() + " }"
	}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		if inner := s.selection(f.Type.Name(), above, extra); inner != "-" {
			fmt.Fprintf(&b, " %s%s%s%s", aliasOf(prefix, f.Name), f.Name, pageArgs(f, extra[typeName+"."+f.Name]), inner)
		}
	}
	return b.String() + " }"
}

func aliasOf(prefix, name string) string {
	if prefix == "" {
		return ""
	}
	return prefix + name + ": "
}

// pageArgs returns the arguments of a nested field: a small page size and the extra arguments.
func pageArgs(f *ast.FieldDefinition, extra string) string {
	args := extra
	if f.Arguments.ForName("first") != nil {
		args = "first: 5 " + extra
	}
	if args == "" {
		return ""
	}
	return "(" + args + ")"
}

// document returns an operation on a root field that passes args as variables. declare adds variable definitions.
func (s schemaSurface) document(r rootField, args testclient.Vars, extra map[string]string, declare string) string {
	var names, uses []string
	if declare != "" {
		names = append(names, declare)
	}
	for _, a := range r.field.Arguments {
		if _, ok := args[a.Name]; ok {
			names = append(names, "$"+a.Name+": "+a.Type.String())
			uses = append(uses, a.Name+": $"+a.Name)
		}
	}
	if r.field.Arguments.ForName("first") != nil && args["last"] == nil && args["first"] == nil {
		uses = append(uses, "first: 5")
	}
	head, call := "", ""
	if len(names) > 0 {
		head = "(" + strings.Join(names, ", ") + ")"
	}
	if len(uses) > 0 {
		call = "(" + strings.Join(uses, ", ") + ")"
	}
	name := " __typename"
	if r.operation == "Subscription" {
		name = "" // a subscription has one field
	}
	return fmt.Sprintf("%s%s { %s%s%s%s }", strings.ToLower(r.operation), head, r.field.Name, call,
		s.selection(r.field.Type.Name(), nil, extra), name)
}

// argumentPosition is an argument or input field with a scalar or enum value.
type argumentPosition struct {
	rootField
	path []string // argument name, then input field names
	typ  *ast.Type
}

func (p argumentPosition) String() string {
	return p.rootField.String() + "(" + strings.Join(p.path, ".") + ")"
}

// positions returns all argument positions of a root field.
func (s schemaSurface) positions(r rootField) (out []argumentPosition) {
	var walk func(path []string, typ *ast.Type)
	walk = func(path []string, typ *ast.Type) {
		def := s.Types[typ.Name()]
		if def.Kind != ast.InputObject {
			out = append(out, argumentPosition{rootField: r, path: path, typ: typ})
			return
		}
		for _, f := range def.Fields {
			walk(append(slices.Clone(path), f.Name), f.Type)
		}
	}
	for _, a := range r.field.Arguments {
		walk([]string{a.Name}, a.Type)
	}
	return out
}

// argumentsWith returns arguments with value at the position and otherwise only the required ones, which fill supplies.
func (s schemaSurface) argumentsWith(p argumentPosition, value any, fill func(r rootField, name string,
	typ *ast.Type) any,
) testclient.Vars {
	if p.typ.Elem != nil {
		value = []any{value}
	}
	args := testclient.Vars{}
	for _, a := range p.field.Arguments {
		if a.DefaultValue != nil && a.Name != p.path[0] {
			continue
		}
		if v, given := s.requiredArguments(p, []string{a.Name}, a.Type, value, fill); given {
			args[a.Name] = v
		}
	}
	return args
}

// requiredArguments returns the value for an argument or input field at path, and false when it is omitted.
func (s schemaSurface) requiredArguments(
	p argumentPosition,
	path []string,
	typ *ast.Type,
	value any,
	fill func(rootField, string, *ast.Type) any,
) (any, bool) {
	if slices.Equal(path, p.path) {
		return value, true
	}
	leadsToTarget := len(p.path) > len(path) && slices.Equal(path, p.path[:len(path)])
	if !leadsToTarget && !typ.NonNull {
		return nil, false
	}
	def := s.Types[typ.Name()]
	if def.Kind != ast.InputObject {
		return fill(p.rootField, path[len(path)-1], typ), true
	}
	object := testclient.Vars{}
	oneOf := def.Directives.ForName("oneOf") != nil && !leadsToTarget
	for i, f := range def.Fields {
		if oneOf && i == 0 { // any one field
			required := *f.Type
			required.NonNull = true
			f = &ast.FieldDefinition{Name: f.Name, Type: &required}
		}
		if f.DefaultValue != nil && !slices.Equal(append(slices.Clone(path), f.Name), p.path) {
			continue
		}
		if v, ok := s.requiredArguments(p, append(slices.Clone(path), f.Name), f.Type, value, fill); ok {
			object[f.Name] = v
		}
	}
	if typ.Elem != nil {
		return []any{object}, true
	}
	return object, true
}

// nestedConnections returns the arguments of all fields below the root types, as Type.field(argument).
func (s schemaSurface) nestedConnections() (out []string) {
	for _, def := range s.Types {
		if def.Kind != ast.Object || def == s.Query || def == s.Mutation || def == s.Subscription ||
			strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			for _, a := range f.Arguments {
				out = append(out, def.Name+"."+f.Name+"("+a.Name+")")
			}
		}
	}
	slices.Sort(out)
	return out
}

// fieldCoordinates returns the coordinates of all fields of all object types.
func (s schemaSurface) fieldCoordinates() (out []string) {
	for _, def := range s.Types {
		if def.Kind != ast.Object || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				out = append(out, def.Name+"."+f.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}
