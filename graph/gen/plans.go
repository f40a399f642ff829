package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"go/format"
	"go/types"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	gqlgenFile = "graph/generated/generated.go"
	plansFile  = "graph/generated/plans.go"
)

//go:embed plans.gotpl
var plansTemplate string

// plans is a gqlgen plugin. For each object type it writes a function that says how
// each of its plain fields is written; hook then lets gqlgen's code try them.
type plans struct{ objects []object }

// Name implements gqlgen's plugin interface.
func (*plans) Name() string { return "plans" }

// GenerateCode implements gqlgen's CodeGenerator. gqlgen's own file comes after it.
func (p *plans) GenerateCode(data *codegen.Data) error {
	for _, o := range data.Objects {
		if !o.Root && !o.BuiltIn && o.Type != nil {
			p.objects = append(p.objects, newObject(o, data.Objects))
		}
	}
	return templates.Render(templates.Options{
		PackageName: data.Config.Exec.Package, Filename: plansFile, Template: plansTemplate,
		Data: p.objects, GeneratedHeader: true, Packages: data.Config.Packages,
	})
}

// object is a type with a plan.
type object struct {
	*codegen.Object
	Plain []field
	// Columns are the columns behind an entity's plain fields.
	Columns map[string]string
}

// field is a field that a plan can write: a value, a list of values, or planned objects.
type field struct {
	Name string
	// Get reads it from obj.
	Get string
	// Write is the expression that writes a value v, "" for objects.
	Write string
	// Child is the type of objects.
	Child     string
	ChildType types.Type
	List      bool
	Pointer   bool // a value behind a pointer
	NonNull   bool
}

func newObject(o *codegen.Object, all codegen.Objects) object {
	out := object{Object: o, Columns: map[string]string{}}
	columns := columnsOf(o.Type)
	for _, f := range o.Fields {
		if p, ok := plainField(f, all); ok {
			out.Plain = append(out.Plain, p)
		}
		if column := columns[f.GoFieldName]; column != "" && f.IsVariable() {
			out.Columns[f.Name] = column
		}
	}
	return out
}

// columnsOf reads an entity's columns from the tags that Ent gives its fields.
func columnsOf(t types.Type) map[string]string {
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg().Path() != "errand/ent" {
		return nil
	}
	entity, ok := named.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for i := range entity.NumFields() {
		column, _, _ := strings.Cut(reflect.StructTag(entity.Tag(i)).Get("json"), ",")
		if column != "" && column != "-" {
			out[entity.Field(i).Name()] = column
		}
	}
	return out
}

// simple reports whether reading a field can neither fail nor wait.
func simple(f *codegen.Field) bool {
	if f.IsResolver || len(f.Args) > 0 || len(f.ImplDirectives()) > 0 || f.IsReserved() {
		return false
	}
	return f.IsVariable() || f.IsMethod() && !f.MethodHasContext && f.NoErr && !f.VOkFunc
}

func plainField(f *codegen.Field, all codegen.Objects) (field, bool) {
	if !simple(f) {
		return field{}, false
	}
	out := field{Name: f.Name, Get: "obj." + f.GoFieldName, NonNull: f.TypeReference.GQL.NonNull}
	if f.IsMethod() {
		out.Get += "()"
	}
	ref := f.TypeReference
	if ref.GQL.Elem != nil {
		out.List = true
		if !ref.GQL.Elem.NonNull {
			return field{}, false
		}
		ref = ref.Elem()
	}
	if ref.Definition.Kind == ast.Object {
		child := all.ByName(ref.Definition.Name)
		_, pointer := ref.GO.(*types.Pointer)
		if child == nil || !pointer {
			return field{}, false
		}
		out.Child, out.ChildType = child.Name, ref.GO
		return out, true
	}
	out.Write, out.Pointer = writer(ref)
	return out, out.Write != "" && (!out.List || !out.Pointer)
}

// writer is the expression that writes a leaf value v.
func writer(ref *config.TypeReference) (expression string, pointer bool) {
	_, pointer = ref.GO.(*types.Pointer)
	switch {
	case ref.IsContext:
		return "", false
	case ref.IsMarshaler:
		return "v.MarshalGQL(b)", pointer
	case ref.Marshaler == nil:
		return "", false
	}
	switch name := ref.Marshaler.FullName(); name {
	case "github.com/99designs/gqlgen/graphql.MarshalString", "github.com/99designs/gqlgen/graphql.MarshalID":
		return "fastjson.String(b, v)", pointer
	case "github.com/99designs/gqlgen/graphql.MarshalInt":
		return "fastjson.Int(b, v)", pointer
	case "github.com/99designs/gqlgen/graphql.MarshalBoolean":
		return "fastjson.Bool(b, v)", pointer
	case "errand/graph/scalar.MarshalDateTime":
		return "b.Write(scalar.AppendDateTime(b.AvailableBuffer(), v))", pointer
	case "errand/graph/scalar.MarshalDate", "errand/graph/scalar.MarshalCursor":
		return "fastjson.String(b, v)", pointer
	case "errand/graph/scalar.MarshalJSON":
		return "scalar.MarshalJSON(v).MarshalGQL(b)", pointer
	default:
		return "", false
	}
}

// hook makes gqlgen's code try the plans, and marshal lists one element after the
// other: what may take time inside is read for all siblings at once, so goroutines gain nothing.
func (p *plans) hook() error {
	source, err := os.ReadFile(gqlgenFile)
	if err != nil {
		return err
	}
	for _, o := range p.objects {
		head := regexp.MustCompile(
			`(?m)^func \(ec \*executionContext\) _` + o.Name + `\(ctx context\.Context, sel ast\.SelectionSet, obj .*\) graphql\.Marshaler \{\n`,
		)
		at := head.FindIndex(source)
		if at == nil {
			return fmt.Errorf("no function for %s in %s", o.Name, gqlgenFile)
		}
		try := fmt.Sprintf(
			"\tif m := fastjson.Marshal(ec.OperationContext, sel, %sImplementors, ec.plain%s, obj); m != nil {\n\t\treturn m\n\t}\n",
			lowerFirst(o.Name),
			o.Name,
		)
		source = append(source[:at[1]:at[1]], append([]byte(try), source[at[1]:]...)...)
	}
	source = bytes.ReplaceAll(
		source,
		[]byte("graphql.MarshalSliceConcurrently(ctx, len(v), 0, false, "),
		[]byte("fastjson.Sequence(ctx, len(v), "),
	)
	source = bytes.Replace(source, []byte("import (\n"), []byte("import (\n\t\"errand/graph/fastjson\"\n"), 1)
	if source, err = format.Source(source); err != nil {
		return err
	}
	return os.WriteFile(gqlgenFile, source, 0o644) //nolint:gosec // source code is for everybody
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
