// Package incremental encodes the responses to queries with @defer.
package incremental

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"errand/internal/apperr"
	"errand/internal/graphqlhttp/exec"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Encoder encodes gqlgen's responses to a query with @defer as the payloads of incremental delivery, in the
// format of the 2022-08-24 draft.
//
// gqlgen writes null for a deferred field that is pending, which a client would take for its value. So the encoder
// compares each object with the fields selected there, and omits deferred fields that are null until their group
// arrives. A deferred field without a resolver has its value at once, which may be null; it is sent with the rest of
// its fragment.
type Encoder struct {
	op      *graphql.OperationContext
	schema  *ast.Schema
	started bool
	// objects are the delivered objects that have deferred fields, by path.
	objects map[string]*deferredObject
	// held are groups that arrived before the object to which they belong.
	held []*graphql.Response
}

// deferredObject is an object with pending fields.
type deferredObject struct {
	path       ast.Path
	typeName   string
	selections ast.SelectionSet
	// missing are the fields omitted so far.
	missing []graphql.CollectedField
}

// NewEncoder returns the encoder of the responses of op.ExecuteIncremental.
func NewEncoder(op *exec.Operation) *Encoder {
	return &Encoder{op: op.Context(), schema: op.Schema(), objects: map[string]*deferredObject{}}
}

// deferredGroup is one element of "incremental": a deferred fragment of one object.
type deferredGroup struct {
	data   []byte
	path   ast.Path
	label  string
	errors gqlerror.List
}

// WriteTo appends the payload of the next response to b.
func (d *Encoder) WriteTo(b *bytes.Buffer, r *graphql.Response) {
	more := r.HasNext != nil && *r.HasNext
	if !d.started {
		d.started = true
		d.writeInitial(b, r, more)
		return
	}
	d.held = append(d.held, r)
	groups := d.release()
	if !more {
		groups = append(groups, d.remaining()...)
	}
	writeGroups(b, groups, more)
}

func (d *Encoder) writeInitial(b *bytes.Buffer, r *graphql.Response, more bool) {
	var data bytes.Buffer
	root := d.op.Operation
	d.object(&data, r.Data, d.schema.Query.Name, root.SelectionSet, nil, more)
	r.Data = data.Bytes()
	exec.WriteResponse(b, r)
	b.Truncate(b.Len() - 1)
	b.WriteString(`,"hasNext":` + strconv.FormatBool(more) + `}`)
}

// release returns the held groups whose object has been delivered. An object comes before the groups of objects
// within it.
func (d *Encoder) release() []deferredGroup {
	var groups []deferredGroup
	for progress := true; progress; {
		progress = false
		for i, r := range d.held {
			if object := d.objects[pathKey(r.Path)]; object != nil {
				d.held = slices.Delete(d.held, i, i+1)
				groups = append(groups, d.encodeGroup(object, r))
				progress = true
				break
			}
		}
	}
	return groups
}

// encodeGroup returns the payload of one deferred fragment of one object.
func (d *Encoder) encodeGroup(object *deferredObject, r *graphql.Response) deferredGroup {
	g := deferredGroup{path: r.Path, label: r.Label, errors: r.Errors}
	var data bytes.Buffer
	parsed, isObject := decodeMembersInOrder(r.Data)
	if isObject {
		parsed = append(parsed, object.nulls(r.Label, parsed)...)
		d.members(&data, parsed, object, nil, true)
	} else {
		data.WriteString("null")
		g.errors = fragmentErrors(g)
	}
	object.markDelivered(r.Label, parsed)
	g.data = data.Bytes()
	return g
}

// fragmentErrors returns the errors of a fragment that is null. When a field that is not nullable fails, gqlgen makes
// all deferred fragments of its object null and reports the error with one of them.
func fragmentErrors(g deferredGroup) gqlerror.List {
	if len(g.errors) > 0 {
		return g.errors
	}
	e := exec.ToGraphQLError(
		apperr.New(
			apperr.Unavailable,
			"Another deferred fragment of this object failed, which makes this one null. Request it without the other.",
		),
	)
	e.Path = g.path
	return gqlerror.List{e}
}

// remaining returns groups of the omitted fields that are null.
func (d *Encoder) remaining() []deferredGroup {
	var groups []deferredGroup
	for _, key := range sortedKeys(d.objects) {
		object := d.objects[key]
		if len(object.missing) == 0 {
			continue
		}
		var data bytes.Buffer
		writeMembers(&data, nullMembers(object.missing))
		groups = append(groups, deferredGroup{data: data.Bytes(), path: object.path})
	}
	return groups
}

// nulls returns the members that are missing from a fragment's own group.
func (o *deferredObject) nulls(label string, given []member) []member {
	var missing []graphql.CollectedField
	for _, f := range o.missing {
		if hasLabel(f, label) && !slices.ContainsFunc(given, func(m member) bool { return m.name == f.Alias }) {
			missing = append(missing, f)
		}
	}
	return nullMembers(missing)
}

// markDelivered removes the fields that a group delivered, or failed to deliver, from missing.
func (o *deferredObject) markDelivered(label string, given []member) {
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

// value copies a value of type t without the fields that are pending.
func (d *Encoder) value(
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

func (d *Encoder) object(
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
		if m.name == exec.TypeNameAlias {
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

// members copies the members of an object. When note is not nil, deferred fields that are null are omitted and
// recorded in it; more applies the same to nested objects.
func (d *Encoder) members(b *bytes.Buffer, given []member, object, note *deferredObject, more bool) {
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

// fields returns the fields that execution collects for an object of its type.
func (d *Encoder) fields(object *deferredObject) []graphql.CollectedField {
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
