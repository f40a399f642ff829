package graphqlhttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The specification ignores a byte order mark in a document; JSON does not allow one.
func TestHTTP_ByteOrderMark_AllowedOnlyInDocument(t *testing.T) {
	b := start(t, nil)
	require.Equal(t, 400, b.post("\ufeff"+`{"query":"{ hello }"}`).status)
	require.Empty(t, b.query("\ufeff{ hello }", "").code())
}

func TestHTTP_MalformedBody_400WithReason(t *testing.T) {
	b := start(t, nil)
	for what, tc := range map[string]struct{ body, message string }{
		"empty":                   {``, "empty"},
		"white space":             {"  \n", "empty"},
		"not JSON":                {`{"query": secret-content}`, "not valid JSON"},
		"cut short":               {`{"query":"{ hello }"`, "ends too early"},
		"cut in a string":         {`{"query":"{ hel`, "ends too early"},
		"a batch":                 {`[{"query":"{ hello }"}]`, "use HttpLink in place of BatchHttpLink"},
		"a string":                {`"{ hello }"`, "must be a JSON object"},
		"trailing object":         {`{"query":"{ hello }"} {"query":"{ me }"}`, "after the end"},
		"trailing garbage":        {`{"query":"{ hello }"} secret-content`, "after the end"},
		"query twice":             {`{"query":"{ hello }","query":"{ me }"}`, `"query" is given twice`},
		"variables twice":         {`{"query":"{ hello }","variables":{},"variables":{}}`, `"variables" is given twice`},
		"no query":                {`{}`, `"query" must be`},
		"null query":              {`{"query":null}`, `"query" must be`},
		"empty query":             {`{"query":""}`, `"query" must be`},
		"query a number":          {`{"query":1}`, `"query" must be a string`},
		"operationName a number":  {`{"query":"{ hello }","operationName":1}`, `"operationName" must be a string`},
		"variables a list":        {`{"query":"{ hello }","variables":[]}`, `"variables" must be an object`},
		"variables a string":      {`{"query":"{ hello }","variables":"{}"}`, `"variables" must be an object`},
		"extensions a list":       {`{"query":"{ hello }","extensions":[]}`, `"extensions" must be an object`},
		"not UTF-8":               {"{\"query\":\"{ hello } #\xff\"}", "UTF-8"},
		"persistedQuery a string": {`{"extensions":{"persistedQuery":"x"}}`, "persistedQuery"},
		"hash of another length":  {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"abc"}}}`, "SHA-256"},
		"another version":         {`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"abc"}}}`, "version"},
		"too many values": {
			`{"query":"{ hello }","variables":{"a":[` + strings.Repeat("1,", 10001) + `1]}}`,
			"10003 values",
		},
	} {
		t.Run(what, func(t *testing.T) {
			a := b.post(tc.body)
			require.Equal(t, 400, a.status, a.body)
			require.Equal(t, "BAD_USER_INPUT", a.code())
			require.Contains(t, a.message(), tc.message)
			require.NotContains(t, a.body, "secret-content")
			require.NotContains(t, a.json, "data")
		})
	}
	require.NotContains(t, b.logs.String(), "secret-content")
}

func TestHTTP_UnknownMembers_Ignored(t *testing.T) {
	b := start(t, nil)
	a := b.post(`{"query":"{ hello }","clientHint":{"x":1},"variables":null,"operationName":null,"extensions":null}`)
	require.Equal(t, 200, a.status)
	require.Equal(t, map[string]any{"hello": "world"}, a.json["data"])
}

func TestHTTP_AcceptHeader_SelectsMediaType(t *testing.T) {
	b := start(t, nil)
	for accept, want := range map[string]string{
		"":                    jsonType,
		"*/*":                 jsonType,
		"application/*":       jsonType,
		jsonType:              jsonType,
		responseType:          responseType,
		"application/JSON":    jsonType,
		"text/html, */*;q=.1": jsonType,
		"application/json, application/graphql-response+json":                                     responseType,
		"application/json;q=0, */*;q=0.1, application/graphql-response+json;q=0.001":              responseType,
		"application/graphql-response+json;charset=utf-8":                                         responseType,
		"application/json; charset=utf-8, text/plain":                                             jsonType,
		"application/graphql-response+json;q=nonsense, application/json":                          jsonType,
		"*/*;q=0.5, application/*;q=0.1, application/json;q=0.2":                                  jsonType,
		", ,application/json,,":                                                                   jsonType,
		"application/json;q=1, application/graphql-response+json;q=0.9":                           jsonType,
		"application/json;q=0.8, application/graphql-response+json;q=0.9":                         responseType,
		"application/graphql-response+json;q=0, */*":                                              jsonType,
		"application/graphql-response+json, application/json, text/event-stream, multipart/mixed": responseType, // urql
		"text/event-stream;q=0.5, application/json;q=0.4":                                         "text/event-stream",
		apolloDefer: responseType, // Apollo Client 4
		`application/json;profile="a,b;q=0", text/html`: jsonType,
	} {
		t.Run(accept, func(t *testing.T) {
			headers := []string{"Accept", accept}
			if accept == "" {
				headers = nil
			}
			a := b.query(`{ hello }`, "", headers...)
			require.Equal(t, 200, a.status)
			require.Equal(t, want+"; charset=utf-8", a.header.Get("Content-Type"))
		})
	}
}

func TestHTTP_OperationName_SelectsOperation(t *testing.T) {
	b := start(t, nil)
	const two = `query A { hello } query B { me }`
	a := b.post(`{"query":` + quote(two) + `,"operationName":"A"}`)
	require.Equal(t, map[string]any{"hello": "world"}, a.json["data"])
	for _, name := range []string{`null`, `"C"`, `""`, `"a"`} {
		a := b.post(`{"query":` + quote(two) + `,"operationName":` + name + `}`)
		require.Equal(t, "BAD_USER_INPUT", a.code())
		require.Equal(t, "operationName", a.extension("field"))
	}
	for _, name := range []string{`null`, `""`} { // clients send these for documents of one operation
		require.Empty(t, b.post(`{"query":"query A { hello }","operationName":`+name+`}`).code())
	}
}

func TestHTTP_GetParameters_Decoded(t *testing.T) {
	b := start(t, nil)
	get := func(pairs ...string) answer {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1])
		}
		return b.do("GET", "/?"+values.Encode(), "")
	}
	a := get("query", `query E($t: String) { echo(text: $t) }`, "variables", `{"t":"ü"}`, "operationName", "E")
	require.Equal(t, 200, a.status, a.body)
	require.Contains(t, a.body, "ü")
	require.Equal(t, 400, get("query", "{hello}", "query", "{me}").status)
	require.Equal(t, 400, get("query", "{hello}", "variables", "[]").status)
	require.Equal(t, 400, get("query", "{hello}", "variables", "{} x").status)
	require.Equal(t, 400, get("query", "{hello} #\xff").status)
	require.Equal(t, 400, get().status)
	require.Equal(t, 400, b.do("GET", "/?query=%zz", "").status)
}
