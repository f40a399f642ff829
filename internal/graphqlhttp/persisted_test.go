package graphqlhttp_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"errand/internal/graphqlhttp/exec"

	"github.com/stretchr/testify/require"
)

func sha(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

func persisted(hash, document string) string {
	extensions := fmt.Sprintf(`"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%s"}}`, hash)
	if document == "" {
		return "{" + extensions + "}"
	}
	return `{"query":` + quote(document) + "," + extensions + "}"
}

// alice are the headers of a signed-in user's request.
var alice = []string{"Authorization", "Bearer alice"}

func TestPersistedQuery_SentOnce_FoundByHash(t *testing.T) {
	b := start(t, nil)
	const document = `query Persisted { hello }`
	a := b.post(persisted(sha(document), ""), alice...)
	require.Equal(t, 200, a.status)
	require.Equal(t, "PersistedQueryNotFound", a.message(), "the message that clients match")
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", a.code())

	require.Empty(t, b.post(persisted(sha(document), document), alice...).code())
	require.Equal(t, map[string]any{"hello": "world"}, b.post(persisted(sha(document), ""), alice...).json["data"])

	extensions := url.QueryEscape(fmt.Sprintf(`{"persistedQuery":{"version":1,"sha256Hash":"%s"}}`, sha(document)))
	a = b.do("GET", "/?extensions="+extensions, "", alice...)
	require.Equal(t, map[string]any{"hello": "world"}, a.json["data"])

	a = b.post(persisted(sha(document), `{ me }`), alice...)
	require.Equal(t, 400, a.status, "the hash is of another document")
}

// TestPersistedQuery_NotRegistered_NotFound checks that a hash alone finds only what a signed-in user has sent
// together with that hash, and only for signed-in users.
func TestPersistedQuery_NotRegistered_NotFound(t *testing.T) {
	b := start(t, nil)
	for name, send := range map[string]func(document string){
		"text of a user":      func(document string) { b.query(document, "", alice...) },
		"text without a user": func(document string) { b.query(document, "") },
		"registered without a user": func(document string) {
			require.Empty(t, b.post(persisted(sha(document), document)).code())
		},
	} {
		document := "query { hello } # " + name
		send(document)
		for _, headers := range [][]string{nil, alice} {
			require.Equal(t, "PersistedQueryNotFound", b.post(persisted(sha(document), ""), headers...).message(), name)
		}
	}
	const document = `query Registered { hello }`
	b.query(document, "", alice...) // cached before it is registered
	require.Empty(t, b.post(persisted(sha(document), document), alice...).code())
	require.Equal(t, "PersistedQueryNotFound", b.post(persisted(sha(document), "")).message(), "anonymous")
	require.Empty(t, b.post(persisted(sha(document), ""), "Authorization", "Bearer bob").code(), "another user")

	socket := b.ready("bob")
	socket.write(`{"type":"subscribe","id":"1","payload":` + persisted(sha(document), "") + `}`)
	require.Equal(t, "next", socket.read().Type)
}

func TestPersistedQuery_InvalidDocument_NotStored(t *testing.T) {
	b := start(t, nil)
	for _, document := range []string{`{`, `{ x }`, `{` + strings.Repeat(" hello", 31) + `}`} {
		require.NotEmpty(t, b.post(persisted(sha(document), document), alice...).code())
		require.Equal(t, "PersistedQueryNotFound", b.post(persisted(sha(document), ""), alice...).message())
	}
}

func TestPersistedQuery_CacheFull_OldestEvicted(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.DocumentCacheBytes = 20000 })
	document := func(i int) string { return fmt.Sprintf("query Q%d { hello }", i) }
	register := func(i int, headers ...string) {
		require.Empty(t, b.post(persisted(sha(document(i)), document(i)), headers...).code())
	}
	for i := range 100 {
		register(i, alice...)
	}
	require.Equal(t, "PersistedQueryNotFound", b.post(persisted(sha(document(0)), ""), alice...).message())
	for i := range 100 {
		register(100 + i)
	}
	require.Empty(t, b.post(persisted(sha(document(99)), ""), alice...).code(), "evicted by anonymous documents")
}

func TestManifest_OtherDocuments_Forbidden(t *testing.T) {
	const allowed = `query Allowed { hello }`
	manifest, err := exec.ReadManifest(strings.NewReader(`{"` + sha(allowed) + `":` + quote(allowed) + `}`))
	require.NoError(t, err)
	require.Equal(t, 1, manifest.Len())
	b := start(t, func(o *serverOptions) { o.Manifest = manifest })

	require.Equal(t, map[string]any{"hello": "world"}, b.post(persisted(sha(allowed), "")).json["data"])
	require.Equal(t, map[string]any{"hello": "world"}, b.query(allowed, "").json["data"])
	for _, body := range []string{persisted(sha(`{ me }`), ""), persisted(sha(`{ me }`), `{ me }`), `{"query":"{ me }"}`} {
		a := b.post(body)
		require.Equal(t, "FORBIDDEN", a.code())
		require.Contains(t, a.message(), "allow-list")
	}
}

func TestReadManifest_ApolloFormat_Accepted(t *testing.T) {
	const allowed = `query Allowed { hello }`
	manifest, err := exec.ReadManifest(
		strings.NewReader(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[
		{"id":"` + sha(allowed) + `","body":` + quote(allowed) + `,"name":"Allowed","type":"query"}]}`),
	)
	require.NoError(t, err)
	b := start(t, func(o *serverOptions) { o.Manifest = manifest })
	require.Equal(t, map[string]any{"hello": "world"}, b.post(persisted(sha(allowed), "")).json["data"])
	require.Equal(t, "FORBIDDEN", b.query(`{ hello }`, "").code())
}

// The identifiers that build tools write: graphql-codegen with sha256 and with its default, and Relay's MD5.
func TestReadManifest_Identifiers_FoundByDocumentID(t *testing.T) {
	const allowed = `query Allowed { hello }`
	md5, sha1 := strings.Repeat("0a", 16), strings.Repeat("0a", 20)
	for key, ids := range map[string][]string{
		"sha256:" + sha(allowed): {"sha256:" + sha(allowed), sha(allowed)},
		sha(allowed):             {"sha256:" + sha(allowed), sha(allowed)},
		md5:                      {md5, "sha256:" + sha(allowed)},
		sha1:                     {sha1, "sha256:" + sha(allowed)},
	} {
		manifest, err := exec.ReadManifest(strings.NewReader(`{"` + key + `":` + quote(allowed) + `}`))
		require.NoError(t, err)
		b := start(t, func(o *serverOptions) { o.Manifest = manifest })
		for _, id := range ids {
			requireFoundByDocumentID(t, b, id)
		}
		require.Equal(t, "FORBIDDEN", b.post(`{"documentId":"sha256:`+sha(`{ me }`)+`"}`).code())
		require.Equal(t, "FORBIDDEN", b.post(`{"documentId":"unknown"}`).code())
		require.Equal(t, 403, b.post(`{"documentId":"unknown"}`, "Accept", responseType).status)
	}
}

// requireFoundByDocumentID checks all transports.
func requireFoundByDocumentID(t *testing.T, b *environment, id string) {
	t.Helper()
	want := map[string]any{"hello": "world"}
	require.Equal(t, want, b.post(`{"documentId":"` + id + `"}`).json["data"], id)
	require.Equal(t, want, b.do("GET", "/?documentId="+url.QueryEscape(id), "").json["data"], id)
	require.Contains(t, b.post(`{"documentId":"`+id+`"}`, "Accept", "text/event-stream").body, `"hello":"world"`)
	c := b.ready("alice")
	c.write(`{"type":"subscribe","id":"1","payload":{"documentId":"` + id + `"}}`)
	require.Contains(t, string(c.read().Payload), `"hello":"world"`)
}

func TestDocumentID_WithoutManifest_FindsRegistered(t *testing.T) {
	b := start(t, nil)
	const document = `query ByID { hello }`
	id := "sha256:" + sha(document)
	require.Equal(t, "PersistedQueryNotFound", b.post(`{"documentId":"`+id+`"}`, alice...).message())
	require.Equal(t, "PersistedQueryNotFound", b.post(`{"documentId":"any"}`, alice...).message())
	require.Empty(t, b.post(`{"query":`+quote(document)+`,"documentId":"`+id+`"}`, alice...).code())
	require.Empty(t, b.post(`{"documentId":"`+id+`"}`, alice...).code())
	require.Equal(t, 405, b.do("GET", "/?documentId=sha256:"+sha(`mutation { add(n: 1) }`)+"&query="+
		url.QueryEscape(`mutation { add(n: 1) }`), "").status)

	for what, body := range map[string]string{
		"another document":      `{"query":"{ me }","documentId":"` + id + `"}`,
		"two hashes":            `{"documentId":"` + id + `",` + persisted(sha("{ me }"), "")[1:],
		"a short hash":          `{"documentId":"sha256:00"}`,
		"capitals":              `{"documentId":"` + strings.ToUpper(id) + `"}`,
		"another algorithm":     `{"documentId":"md5:` + strings.Repeat("0", 32) + `"}`,
		"a space":               `{"documentId":"a b"}`,
		"not a string":          `{"documentId":5}`,
		"empty, without a text": `{"documentId":""}`,
	} {
		a := b.post(body, alice...)
		require.Equal(t, 400, a.status, what)
		require.Equal(t, "BAD_USER_INPUT", a.code(), what)
	}
}

func TestReadManifest_Invalid_Error(t *testing.T) {
	for _, text := range []string{
		`{"format":"apollo-persisted-query-manifest","operations":[{"id":"x","body":"{ a }"}]}`,
		`{"format":"apollo-persisted-query-manifest"}`, `{"x":{}}`,
		`{"` + sha(`{ a }`) + `":"{ b }"}`, `{"sha256:` + sha(`{ a }`) + `":"{ b }"}`,
		`{"md5:` + sha(`{ a }`) + `":"{ a }"}`, `[]`, `{"x":1}`, ``,
	} {
		_, err := exec.ReadManifest(strings.NewReader(text))
		require.Error(t, err, text)
	}
}
