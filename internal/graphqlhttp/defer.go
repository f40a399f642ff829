package graphqlhttp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"errand/internal/apperr"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// deferral turns gqlgen's responses to a query with @defer into parts.
//
// gqlgen writes null for a field whose value is still to come, which a client takes for
// the value. So each object is compared with the fields selected there, and what is
// deferred and null is left out until its group arrives. A deferred field that needs no
// resolver is answered at once and only then can be null for good: it goes out with the
// rest of its fragment.
type deferral struct {
	op     *graphql.OperationContext
	schema *ast.Schema
	begun  bool
	// objects are the delivered objects that have deferred fields, by path.
	objects map[string]*deferredObject
	// held are groups that came before the object they belong to.
	held []*graphql.Response
}

// deferredObject is an object some of whose fields are still to come.
type deferredObject struct {
	path       ast.Path
	typeName   string
	selections ast.SelectionSet
	// missing are the fields left out so far.
	missing []graphql.CollectedField
}

func newDeferral(op *operation) *deferral {
	return &deferral{op: op.context, schema: op.engine.documents.schema, objects: map[string]*deferredObject{}}
}

// group is one element of "incremental".
type group struct {
	data   []byte
	path   ast.Path
	label  string
	errors gqlerror.List
}

// write puts the part for the next response into b.
func (d *deferral) write(b *bytes.Buffer, r *graphql.Response) {
	more := r.HasNext != nil && *r.HasNext
	if !d.begun {
		d.begun = true
		d.writeFirst(b, r, more)
		return
	}
	d.held = append(d.held, r)
	groups := d.release()
	if !more {
		groups = append(groups, d.rest()...)
	}
	writeGroups(b, groups, more)
}

func (d *deferral) writeFirst(b *bytes.Buffer, r *graphql.Response, more bool) {
	var data bytes.Buffer
	root := d.op.Operation
	d.object(&data, r.Data, d.schema.Query.Name, root.SelectionSet, nil, more)
	r.Data = data.Bytes()
	writeResponse(b, r)
	b.Truncate(b.Len() - 1)
	b.WriteString(`,"hasNext":` + strconv.FormatBool(more) + `}`)
}

// release gives the held groups whose object has been delivered, in an order in which
// every object comes before what belongs into it.
func (d *deferral) release() []group {
	var groups []group
	for progress := true; progress; {
		progress = false
		for i, r := range d.held {
			if object := d.objects[pathKey(r.Path)]; object != nil {
				d.held = slices.Delete(d.held, i, i+1)
				groups = append(groups, d.group(object, r))
				progress = true
				break
			}
		}
	}
	return groups
}

// group makes the patch of one deferred fragment at one object.
func (d *deferral) group(object *deferredObject, r *graphql.Response) group {
	g := group{path: r.Path, label: r.Label, errors: r.Errors}
	var data bytes.Buffer
	parsed, isObject := decodeMembersInOrder(r.Data)
	if isObject {
		parsed = append(parsed, object.nulls(r.Label, parsed)...)
		d.members(&data, parsed, object, nil, true)
	} else {
		data.WriteString("null")
		g.errors = failedBeside(g)
	}
	object.settle(r.Label, parsed)
	g.data = data.Bytes()
	return g
}

// failedBeside are the errors of a fragment that is null. gqlgen lets a null where none may
// stand take all deferred fragments of its object along, and tells the error with one of them.
func failedBeside(g group) gqlerror.List {
	if len(g.errors) > 0 {
		return g.errors
	}
	e := wire(
		apperr.New(
			apperr.Unavailable,
			"Another fragment of this object failed, and this one with it. Ask for it without that one.",
		),
	)
	e.Path = g.path
	return gqlerror.List{e}
}

// rest gives what was left out of objects and is null for good.
func (d *deferral) rest() []group {
	var groups []group
	for _, key := range sortedKeys(d.objects) {
		object := d.objects[key]
		if len(object.missing) == 0 {
			continue
		}
		var data bytes.Buffer
		writeMembers(&data, nullMembers(object.missing))
		groups = append(groups, group{data: data.Bytes(), path: object.path})
	}
	return groups
}

// nulls are the members missing from a fragment's own group.
func (o *deferredObject) nulls(label string, given []member) []member {
	var missing []graphql.CollectedField
	for _, f := range o.missing {
		if hasLabel(f, label) && !slices.ContainsFunc(given, func(m member) bool { return m.name == f.Alias }) {
			missing = append(missing, f)
		}
	}
	return nullMembers(missing)
}

// settle takes off the list what a group has delivered, or failed to.
func (o *deferredObject) settle(label string, given []member) {
	o.missing = slices.DeleteFunc(o.missing, func(f graphql.CollectedField) bool {
		return hasLabel(f, label) || slices.ContainsFunc(given, func(m member) bool { return m.name == f.Alias })
	})
}

func hasLabel(f graphql.CollectedField, label string) bool {
	return slices.ContainsFunc(f.Deferrables, func(d *graphql.Deferrable) bool { return d.Label == label })
}

func nullMembers(fields []graphql.CollectedField) []member {
	var members []member
	for _, f := range fields {
		members = append(members, member{name: f.Alias, value: json.RawMessage("null")})
	}
	return members
}

// value copies a value of type t, leaving out what is still to come.
func (d *deferral) value(
	b *bytes.Buffer,
	raw []byte,
	t *ast.Type,
	selections ast.SelectionSet,
	path ast.Path,
	more bool,
) {
	switch {
	case len(selections) == 0 || len(raw) == 0 || t == nil:
		b.Write(raw)
	case raw[0] == '[' && t.Elem != nil:
		b.WriteByte('[')
		for i, element := range decodeElements(raw) {
			if i > 0 {
				b.WriteByte(',')
			}
			d.value(b, element, t.Elem, selections, extend(path, ast.PathIndex(i)), more)
		}
		b.WriteByte(']')
	case raw[0] == '{':
		d.object(b, raw, t.Name(), selections, path, more)
	default:
		b.Write(raw)
	}
}

func (d *deferral) object(
	b *bytes.Buffer,
	raw []byte,
	typeName string,
	selections ast.SelectionSet,
	path ast.Path,
	more bool,
) {
	members, ok := decodeMembersInOrder(raw)
	if !ok {
		b.Write(raw)
		return
	}
	for i, m := range members {
		if m.name == typeNameAlias {
			_ = json.Unmarshal(m.value, &typeName)
			members = slices.Delete(members, i, i+1)
			break
		}
	}
	object := &deferredObject{path: path, typeName: typeName, selections: selections}
	if !more {
		d.members(b, members, object, nil, false)
		return
	}
	d.members(b, members, object, object, true)
	if slices.ContainsFunc(d.fields(object), graphql.CollectedField.IsDeferred) {
		d.objects[pathKey(path)] = object
	}
}

// members copies the members of an object. With a note to put them on, deferred nulls
// are left out; more says the same for the objects below.
func (d *deferral) members(b *bytes.Buffer, given []member, object, note *deferredObject, more bool) {
	fields := d.fields(object)
	var kept []member
	for _, m := range given {
		i := slices.IndexFunc(fields, func(f graphql.CollectedField) bool { return f.Alias == m.name })
		if i < 0 {
			kept = append(kept, m)
			continue
		}
		f := fields[i]
		if note != nil && f.IsDeferred() && string(m.value) == "null" {
			note.missing = append(note.missing, f)
			continue
		}
		var value bytes.Buffer
		d.value(&value, m.value, fieldTypeOf(f), f.Selections, extend(object.path, ast.PathName(f.Alias)), more)
		kept = append(kept, member{name: m.name, value: value.Bytes()})
	}
	writeMembers(b, kept)
}

// fields are the fields that execution collects for an object of its type.
func (d *deferral) fields(object *deferredObject) []graphql.CollectedField {
	satisfies := []string{object.typeName}
	for _, parent := range d.schema.GetImplements(d.schema.Types[object.typeName]) {
		satisfies = append(satisfies, parent.Name)
	}
	return graphql.CollectFields(d.op, object.selections, satisfies)
}

func fieldTypeOf(f graphql.CollectedField) *ast.Type {
	if f.Definition == nil {
		return nil
	}
	return f.Definition.Type
}

func extend(path ast.Path, element ast.PathElement) ast.Path {
	return append(slices.Clip(slices.Clone(path)), element)
}

func pathKey(path ast.Path) string {
	var b strings.Builder
	for _, element := range path {
		switch e := element.(type) {
		case ast.PathName:
			b.WriteString("." + string(e))
		case ast.PathIndex:
			b.WriteString("#" + strconv.Itoa(int(e)))
		}
	}
	return b.String()
}
