package graphqlhttp_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

const apolloDefer = `multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9`

// increment is a payload of the response to a query with @defer.
type increment struct {
	Data        map[string]any `json:"data"`
	Incremental []struct {
		Data   map[string]any   `json:"data"`
		Path   []any            `json:"path"`
		Label  string           `json:"label"`
		Errors []map[string]any `json:"errors"`
	} `json:"incremental"`
	HasNext *bool `json:"hasNext"`
}

// parts reads all payloads of the response.
func (s *eventStream) parts() []increment {
	s.b.t.Helper()
	var all []increment
	for {
		var part increment
		require.NoError(s.b.t, json.Unmarshal([]byte(s.part()), &part))
		require.NotNil(s.b.t, part.HasNext)
		all = append(all, part)
		if !*part.HasNext {
			require.Equal(s.b.t, "--\r\n", s.rest())
			return all
		}
	}
}

// merge merges the payloads as a client does.
func merge(t *testing.T, parts []increment) any {
	t.Helper()
	var root any = parts[0].Data
	for _, part := range parts[1:] {
		for _, patch := range part.Incremental {
			at := root
			for _, step := range patch.Path {
				switch step := step.(type) {
				case string:
					at = at.(map[string]any)[step]
				case float64:
					at = at.([]any)[int(step)]
				}
				require.NotNil(t, at, "a payload arrived before its object: %v", patch.Path)
			}
			maps.Copy(at.(map[string]any), patch.Data)
		}
	}
	return root
}

func TestDefer_PendingFields_OmittedUntilDelivered(t *testing.T) {
	b := start(t, nil)
	b.root.Slow = make(chan struct{})
	s := b.openMultipart(`{ pets { name ... @defer(label: "later") { slow } } }`, apolloDefer)
	first := s.part()
	require.Contains(t, first, `{"data":{"pets":[{"name":"Tom"},{"name":"Rex"}]}`)
	require.Contains(t, first, `"hasNext":true`)
	close(b.root.Slow)
	parts := s.parts()
	require.Len(t, parts, 2)
	require.Equal(t, "later", parts[0].Incremental[0].Label)
	require.Equal(t, "pets", parts[0].Incremental[0].Path[0])
}

func TestDefer_MergedPayloads_EqualSingleResponse(t *testing.T) {
	b := start(t, nil)
	for what, document := range map[string]string{
		"by type":             `{ pets { name ... on Cat @defer { slow } ... on Dog { slow nick } } }`,
		"fields at once":      `{ pets { ... @defer { name slow ... on Cat { nick } ... on Dog { nick } } } }`,
		"nothing to wait for": `{ pets { name ... on Cat @defer { nick } } }`,
		"nested": `{ pets { ... @defer(label: "a") { friend { name
			... @defer(label: "b") { slow friend { ... @defer(label: "c") { slow } } } } } } }`,
		"by fragment":         `{ pets { ...F @defer } } fragment F on Pet { name slow friend { name } }`,
		"an alias":            `{ pets { a: name ... @defer { a: name b: slow c: slow } } }`,
		"two labels share":    `{ pets { ... @defer(label: "x") { slow } ... @defer(label: "y") { slow friend { name } } } }`,
		"not if":              `{ pets { name ... @defer(if: false) { slow } } }`,
		"if not, by variable": `query($later: Boolean = false) { pets { name ... @defer(if: $later) { slow } } }`,
		"if, by variable": `query($later: Boolean = true) {
			pets { name ... @defer(if: $later) { slow friend { slow } } } }`,
		"in lists below": `{ pets { friend { ... @defer { friend { name ... @defer { slow } } } } } }`,
		"skipped": `{ pets { name ... @defer @skip(if: true) { slow }
			... @include(if: false) { ... @defer { slow } } } }`,
		"merged with itself": `{ pets { friend { name } ... @defer { friend { slow } } }
			pets { friend { ... @defer { name } } } }`,
		"also selected": `{ pets { slow ... @defer { slow } } }`,
		"type name":     `{ pets { __typename ... @defer { __typename slow } } }`,
		"at the root":   `{ ... @defer { hello pets { name } } }`,
	} {
		t.Run(what, func(t *testing.T) {
			whole := b.query(document, "", "Accept", responseType)
			require.Empty(t, whole.code(), whole.body)
			require.NotContains(t, whole.body, "hasNext")
			parts := b.openMultipart(document, apolloDefer).parts()
			require.Equal(t, whole.json["data"], merge(t, parts))
			require.NotContains(t, whole.body, "errandTypeName")
		})
	}
}

func TestDefer_FieldError_InPayloadOfFragment(t *testing.T) {
	b := start(t, nil)
	parts := b.openMultipart(`{ pets { name ... on Cat @defer(label: "l") { strict nick } } }`, apolloDefer).parts()
	require.Len(t, parts, 2)
	patch := parts[1].Incremental[0]
	require.Nil(t, patch.Data, "a non-null field that is null makes its fragment null")
	require.Equal(t, "No such thing.", patch.Errors[0]["message"])
	require.Equal(t, []any{"pets", 0.0}, patch.Path)
	require.Equal(t, []any{"pets", 0.0, "strict"}, patch.Errors[0]["path"])
}

// A fragment that is null has an error, and does not affect the other objects of the list.
func TestDefer_FailedFragment_OtherObjectsDelivered(t *testing.T) {
	b := start(t, nil)
	b.root.Slow = make(chan struct{})
	answer := b.openMultipart(
		`{ pets { name ... on Cat @defer(label: "bad") { strict } ... @defer(label: "good") { slow } } }`,
		apolloDefer,
	)
	early := make([]increment, 2) // the initial payload, and the failure
	for i := range early {
		require.NoError(t, json.Unmarshal([]byte(answer.part()), &early[i]))
	}
	close(b.root.Slow) // not earlier: gqlgen reads without a lock what a failing fragment writes
	dogs := 0
	for _, part := range append(early[1:], answer.parts()...) {
		for _, patch := range part.Incremental {
			require.Equal(t, patch.Data == nil, len(patch.Errors) > 0, patch.Label)
			if patch.Path[1] == 1.0 {
				require.Equal(t, map[string]any{"slow": "slow Rex"}, patch.Data)
				dogs++
			}
		}
	}
	require.Equal(t, 1, dogs)
}

func TestDefer_ClientWithoutIncrementalDelivery_SingleResponse(t *testing.T) {
	b := start(t, nil)
	const document = `{ pets { name ... @defer { slow } } }`
	const want = `{"pets":[{"name":"Tom","slow":"slow Tom"},{"name":"Rex","slow":"slow Rex"}]}`
	for _, accept := range []string{
		jsonType, responseType, "multipart/mixed;deferSpec=20991231,application/json",
		// Apollo Client's handler of a later draft:
		"multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9",
	} {
		require.Contains(t, b.query(document, "", "Accept", accept).body, `{"data":`+want, accept)
	}
	s := b.openSSE(document)
	require.Contains(t, s.event(), `next|{"data":`+want)
	c := b.ready("alice")
	c.subscribe("1", document)
	require.Contains(t, string(c.read().Payload), want)
	c.expect("complete", "1", "")
	a := b.query(`mutation { ... @defer { add(n: 1) } }`, "", "Accept", apolloDefer)
	require.Equal(t, map[string]any{"add": 1.0}, a.json["data"])
}

func TestDefer_AcceptHeaderOfUrql_DeliveredIncrementally(t *testing.T) {
	b := start(t, nil)
	const urql = `application/graphql-response+json, application/graphql+json, application/json, ` +
		`text/event-stream, multipart/mixed`
	parts := b.openMultipart(`{ pets { ... @defer { slow } } }`, urql).parts()
	require.Greater(t, len(parts), 1)
}

// gqlgen waits forever for a deferred result that was dropped. TestMain detects goroutines that leak.
func TestDefer_ClientDisconnects_ResolversStop(t *testing.T) {
	b := start(t, nil)
	b.root.Slow = make(chan struct{})
	s := b.openMultipart(`{ pets { name ... @defer { slow friend { ... @defer { slow } } } } }`, apolloDefer)
	require.Contains(t, s.part(), `"hasNext":true`)
	s.cancel()
	for range 4 {
		receive(t, b.root.Stopped, "the resolvers to stop")
	}
}
