package incremental

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"errand/internal/graphqlhttp/exec"
)

// member is a member of a JSON object; a slice of them keeps their order.
type member struct {
	name  string
	value json.RawMessage
}

// decodeMembersInOrder splits a JSON object; false when raw is another kind of value.
func decodeMembersInOrder(raw []byte) ([]member, bool) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, false
	}
	var members []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, false
		}
		m := member{name: name.(string)}
		if decoder.Decode(&m.value) != nil {
			return nil, false
		}
		members = append(members, m)
	}
	return members, true
}

// decodeElements splits a JSON array that the executor wrote.
func decodeElements(raw []byte) []json.RawMessage {
	var elements []json.RawMessage
	_ = json.Unmarshal(raw, &elements)
	return elements
}

func writeMembers(b *bytes.Buffer, members []member) {
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		exec.WriteJSON(b, m.name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
}

// writeGroups writes a payload after the initial one.
func writeGroups(b *bytes.Buffer, groups []deferredGroup, more bool) {
	b.WriteByte('{')
	if len(groups) > 0 {
		b.WriteString(`"incremental":[`)
		for i, g := range groups {
			if i > 0 {
				b.WriteByte(',')
			}
			writeGroup(b, g)
		}
		b.WriteString("],")
	}
	b.WriteString(`"hasNext":`)
	exec.WriteJSON(b, more)
	b.WriteByte('}')
}

func writeGroup(b *bytes.Buffer, g deferredGroup) {
	b.WriteString(`{"data":`)
	b.Write(g.data)
	b.WriteString(`,"path":`)
	exec.WriteJSON(b, g.path)
	if g.label != "" {
		b.WriteString(`,"label":`)
		exec.WriteJSON(b, g.label)
	}
	if len(g.errors) > 0 {
		b.WriteString(`,"errors":`)
		exec.WriteJSON(b, g.errors)
	}
	b.WriteByte('}')
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
