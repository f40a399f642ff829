package main

import (
	_ "embed" // the template
	"go/types"
	"reflect"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

//go:embed fieldwriters.gotpl
var fieldWritersTemplate string

// fieldWriters is a gqlgen plugin. For each object type it generates a function that returns the field writer
// of a selected field, or nil for a field that needs a resolver, a context or an error.
type fieldWriters struct {
	objects []object
	lists   int // how many list types gqlgen generates a marshaler for
}

// Name implements gqlgen's plugin interface.
func (*fieldWriters) Name() string { return "fieldwriters" }

// GenerateCode implements gqlgen's CodeGenerator. It runs before gqlgen writes its own file.
func (p *fieldWriters) GenerateCode(data *codegen.Data) error {
	for _, o := range data.Objects {
		if !o.Root && !o.BuiltIn && o.Type != nil {
			p.objects = append(p.objects, newObject(o, data.Objects))
		}
	}
	for _, ref := range data.ReferencedTypes {
		// The condition of gqlgen's type.gotpl for a list whose elements are marshaled concurrently.
		if ref.MarshalFunc() != "" && ref.IsSlice() && !ref.IsPtrToSlice() && !ref.IsPtrToIntf() && !ref.IsScalar() {
			p.lists++
		}
	}
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Filename:        fieldWritersFile,
		Template:        fieldWritersTemplate,
		Data:            p.objects,
		GeneratedHeader: true,
		Packages:        data.Config.Packages,
	})
}

// typeNames returns the names of the object types that have a field writer.
func (p *fieldWriters) typeNames() []string {
	names := make([]string, len(p.objects))
	for i, o := range p.objects {
		names[i] = o.Name
	}
	return names
}

// object is an object type and those of its fields that a field writer can write.
type object struct {
	*codegen.Object
	Fields []field
	// Columns maps fields to the database columns that they show unchanged. It is empty for types other than entities.
	Columns map[string]string
}

// field is a scalar or enum, a list of them, an object, or a list of objects.
type field struct {
	Name string
	// Get is the Go expression that reads the field of obj.
	Get string
	// Write is the Go expression that writes a value v; "" for objects.
	Write string
	// Child is the name of the type of objects.
	Child     string
	ChildType types.Type
	List      bool
	Pointer   bool // the value is behind a pointer
	NonNull   bool
}

func newObject(o *codegen.Object, all codegen.Objects) object {
	out := object{Object: o, Columns: map[string]string{}}
	columns := entityColumns(o.Type)
	for _, f := range o.Fields {
		if field, ok := newField(f, all); ok {
			out.Fields = append(out.Fields, field)
		}
		if column := columns[f.GoFieldName]; column != "" && f.IsVariable() {
			out.Columns[f.Name] = column
		}
	}
	return out
}

// entityColumns returns the columns of an Ent entity by Go field name. Ent writes the column's name into the JSON
// tag. It is nil for other types.
func entityColumns(t types.Type) map[string]string {
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

// isPlainRead reports whether the field is a struct field or a method that can neither fail nor block.
func isPlainRead(f *codegen.Field) bool {
	if f.IsResolver || len(f.Args) > 0 || len(f.ImplDirectives()) > 0 || f.IsReserved() {
		return false
	}
	return f.IsVariable() || f.IsMethod() && !f.MethodHasContext && f.NoErr && !f.VOkFunc
}

// newField describes a field for the template; it is false when a field writer cannot write the field.
func newField(f *codegen.Field, all codegen.Objects) (field, bool) {
	if !isPlainRead(f) {
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
	out.Write, out.Pointer = writeExpression(ref)
	return out, out.Write != "" && (!out.List || !out.Pointer)
}

// writeExpression returns the Go expression that writes a scalar or enum v, and whether the value is behind a
// pointer. It is "" for types that fastjson has no function for.
func writeExpression(ref *config.TypeReference) (expression string, pointer bool) {
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
