package graphqlhttp_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
)

const (
	responseType = "application/graphql-response+json"
	jsonType     = "application/json"
)

func TestHTTP_Requests_HaveStatusAndCode(t *testing.T) {
	b := start(t, nil)
	const document = `{"query":"{ hello }"}`
	for _, tc := range []struct {
		what    string
		method  string
		path    string
		body    string
		headers []string
		status  int
		code    string
	}{
		{"executed", "POST", "/", document, []string{"Content-Type", jsonType}, 200, ""},
		{
			"a field failed",
			"POST",
			"/",
			`{"query":"{ fail(code: \"NOT_FOUND\") }"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			294,
			"NOT_FOUND",
		},
		{
			"data is null",
			"POST",
			"/",
			`{"query":"{ required }"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			294,
			"NOT_FOUND",
		},
		{"by GET", "GET", "/?query={hello}", "", nil, 200, ""},
		{"not parsed, JSON", "POST", "/", `{"query":"{"}`, []string{"Content-Type", jsonType}, 200, "GRAPHQL_PARSE_FAILED"},
		{
			"not parsed",
			"POST",
			"/",
			`{"query":"{"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			400,
			"GRAPHQL_PARSE_FAILED",
		},
		{
			"not valid, JSON",
			"POST",
			"/",
			`{"query":"{ x }"}`,
			[]string{"Content-Type", jsonType},
			200,
			"GRAPHQL_VALIDATION_FAILED",
		},
		{
			"not valid",
			"POST",
			"/",
			`{"query":"{ x }"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			422,
			"GRAPHQL_VALIDATION_FAILED",
		},
		{
			"variables rejected, JSON",
			"POST",
			"/",
			`{"query":"query($n:Int!){echo(n:$n)}","variables":{"n":"5"}}`,
			[]string{"Content-Type", jsonType, "Accept", jsonType},
			200,
			"BAD_USER_INPUT",
		},
		{
			"variables rejected",
			"POST",
			"/",
			`{"query":"query($n:Int!){echo(n:$n)}","variables":{"n":"5"}}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			422,
			"BAD_USER_INPUT",
		},
		{
			"no such operation, JSON",
			"POST",
			"/",
			`{"query":"query A{hello}","operationName":"B"}`,
			[]string{"Content-Type", jsonType, "Accept", jsonType},
			200,
			"BAD_USER_INPUT",
		},
		{
			"no such operation",
			"POST",
			"/",
			`{"query":"query A{hello}","operationName":"B"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			422,
			"BAD_USER_INPUT",
		},
		{
			"not JSON, JSON",
			"POST",
			"/",
			`{"query"`,
			[]string{"Content-Type", jsonType, "Accept", jsonType},
			400,
			"BAD_USER_INPUT",
		},
		{
			"not JSON",
			"POST",
			"/",
			`{"query"`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			400,
			"BAD_USER_INPUT",
		},
		{
			"not a request, JSON",
			"POST",
			"/",
			`{"query":5}`,
			[]string{"Content-Type", jsonType, "Accept", jsonType},
			400,
			"BAD_USER_INPUT",
		},
		{
			"a charset parameter",
			"POST",
			"/",
			document,
			[]string{"Content-Type", `application/json; charset="UTF-8"`},
			200,
			"",
		},
		{"a content type in capitals", "POST", "/", document, []string{"Content-Type", "Application/JSON"}, 200, ""},
		{"identity", "POST", "/", document, []string{"Content-Type", jsonType, "Content-Encoding", "identity"}, 200, ""},
		{"the media type of responses", "POST", "/", document, []string{"Content-Type", responseType}, 415, "BAD_USER_INPUT"},
		{
			"a mutation by GET, named",
			"GET",
			"/?query=query+A{hello}mutation+B{add(n:1)}&operationName=B",
			"",
			nil,
			405,
			"BAD_USER_INPUT",
		},
		{
			"a query beside a mutation by GET",
			"GET",
			"/?query=query+A{hello}mutation+B{add(n:1)}&operationName=A",
			"",
			nil,
			200,
			"",
		},
		{
			"too complex",
			"POST",
			"/",
			`{"query":"{` + strings.Repeat(" hello", 31) + `}"}`,
			[]string{"Content-Type", jsonType, "Accept", responseType},
			422,
			"COMPLEXITY_LIMIT_EXCEEDED",
		},
		{
			"bad token",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Authorization", "Bearer bad"},
			401,
			"UNAUTHENTICATED",
		},
		{
			"token cannot be verified",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Authorization", "Bearer down"},
			503,
			"SERVICE_UNAVAILABLE",
		},
		{"PUT", "PUT", "/", document, []string{"Content-Type", jsonType}, 405, "BAD_USER_INPUT"},
		{"DELETE", "DELETE", "/", "", nil, 405, "BAD_USER_INPUT"},
		{"mutation by GET", "GET", "/?query=mutation{add(n:1)}", "", nil, 405, "BAD_USER_INPUT"},
		{
			"mutation by GET in a stream",
			"GET",
			"/?query=mutation{add(n:1)}",
			"",
			[]string{"Accept", "text/event-stream"},
			405,
			"BAD_USER_INPUT",
		},
		{
			"nothing acceptable",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Accept", "image/png"},
			406,
			"BAD_USER_INPUT",
		},
		{
			"everything forbidden",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Accept", "*/*;q=0"},
			406,
			"BAD_USER_INPUT",
		},
		{
			"a subscription as JSON",
			"POST",
			"/",
			`{"query":"subscription { count(to: 1) }"}`,
			[]string{"Content-Type", jsonType, "Accept", jsonType},
			406,
			"BAD_USER_INPUT",
		},
		{
			"a query as a multipart subscription only",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Accept", "multipart/mixed;subscriptionSpec=1.0"},
			406,
			"BAD_USER_INPUT",
		},
		{"text/plain", "POST", "/", document, []string{"Content-Type", "text/plain"}, 415, "BAD_USER_INPUT"},
		{
			"a form",
			"POST",
			"/",
			"query={hello}",
			[]string{"Content-Type", "application/x-www-form-urlencoded"},
			415,
			"BAD_USER_INPUT",
		},
		{
			"multipart form",
			"POST",
			"/",
			document,
			[]string{"Content-Type", "multipart/form-data; boundary=x"},
			415,
			"BAD_USER_INPUT",
		},
		{"no content type", "POST", "/", document, nil, 415, "BAD_USER_INPUT"},
		{
			"foreign charset",
			"POST",
			"/",
			document,
			[]string{"Content-Type", "application/json; charset=latin1"},
			415,
			"BAD_USER_INPUT",
		},
		{
			"compressed request",
			"POST",
			"/",
			document,
			[]string{"Content-Type", jsonType, "Content-Encoding", "gzip"},
			415,
			"BAD_USER_INPUT",
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			a := b.do(tc.method, strings.ReplaceAll(strings.ReplaceAll(tc.path, "{", "%7B"), "}", "%7D"), tc.body, tc.headers...)
			require.Equal(t, tc.status, a.status, a.body)
			require.Equal(t, tc.code, a.code(), a.body)
		})
	}
	require.Zero(t, b.root.Executed.Load(), "a rejected mutation was executed")
}

func TestHTTP_OtherMethods_405WithAllow(t *testing.T) {
	b := start(t, nil)
	for _, method := range []string{"HEAD", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"} {
		a := b.do(method, "/?query=%7Bhello%7D", "")
		require.Equal(t, 405, a.status, method)
		require.Equal(t, "GET, POST, OPTIONS", a.header.Get("Allow"))
	}
	require.Equal(t, "POST", b.do("GET", "/?query=mutation%7Badd(n:1)%7D", "").header.Get("Allow"))
	a := b.do("OPTIONS", "/", "")
	require.Equal(t, 204, a.status)
	require.Equal(t, "GET, POST, OPTIONS", a.header.Get("Allow"))
	require.Zero(t, b.root.Executed.Load())
}

func TestHTTP_OpenedInBrowser_RedirectedToPlayground(t *testing.T) {
	const page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	b := start(t, func(o *serverOptions) { o.HTTP.Playground = "playground" })
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a := b.do("GET", "/", "", "Accept", page, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, 303, a.status)
	require.Equal(t, "playground", a.header.Get("Location"))
	require.Equal(t, 400, b.do("GET", "/", "").status)
	require.Equal(t, 400, b.do("GET", "/", "", "Accept", jsonType).status)
	require.Equal(t, 200, b.do("GET", "/?query=%7Bhello%7D", "", "Accept", page).status)
	require.Equal(t, 400, start(t, nil).do("GET", "/", "", "Accept", page).status, "no playground")
}

func TestHTTP_UnsupportedContent_NamesSupported(t *testing.T) {
	b := start(t, nil)
	a := b.do("POST", "/", "x", "Content-Type", "text/plain")
	require.Equal(t, []string{jsonType}, a.header.Values("Accept-Post"))
	a = b.post("x", "Content-Encoding", "gzip")
	require.Equal(t, "identity", a.header.Get("Accept-Encoding"))
}

// The specification ignores a byte order mark in a document; JSON does not allow one.
func TestHTTP_ByteOrderMark_AllowedOnlyInDocument(t *testing.T) {
	b := start(t, nil)
	require.Equal(t, 400, b.post("\ufeff"+`{"query":"{ hello }"}`).status)
	require.Empty(t, b.query("\ufeff{ hello }", "").code())
}

func TestHTTP_Response_IsNotCacheable(t *testing.T) {
	b := start(t, nil)
	a := b.do("GET", "/?query=%7Bhello%7D", "")
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	vary := strings.Join(a.header.Values("Vary"), ", ")
	for _, name := range []string{"Accept", "Accept-Encoding", "Authorization", "Origin"} {
		require.Contains(t, vary, name)
	}
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

func TestHTTP_RequestError_HasNoData(t *testing.T) {
	b := start(t, nil)
	for _, a := range []answer{
		b.query(`{`, ""),
		b.query(`{ x }`, ""),
		b.query(`query($a:Int!){ hello }`, ""),
		b.post(`[`),
	} {
		require.NotContains(t, a.json, "data")
		require.Contains(t, a.json, "errors")
	}
	a := b.query(`{ required }`, "")
	require.Contains(t, a.json, "data", "execution has begun, so there is data")
	require.Nil(t, a.json["data"])
}

func TestHTTP_InternalError_Redacted(t *testing.T) {
	b := start(t, nil)
	for _, document := range []string{`{ leak }`, `{ panics }`} {
		a := b.query(document, "")
		require.Equal(t, "INTERNAL_SERVER_ERROR", a.code())
		require.NotContains(t, a.body, "hunter2")
		require.NotContains(t, a.body, "secret")
	}
	a := b.query(`{ hello }`, "", "Authorization", "Bearer broken")
	require.Equal(t, 503, a.status)
	require.Equal(t, "INTERNAL_SERVER_ERROR", a.code())
	require.NotContains(t, a.body, "secret-host")
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

func TestHTTP_Response_ReportsCost(t *testing.T) {
	b := start(t, nil)
	a := b.query(`query($n: Int) { items(first: $n) { nodes { id } } }`, `{"n":7}`)
	require.Equal(t, map[string]any{"cost": map[string]any{"requested": 16.0, "limit": 30000.0}}, a.json["extensions"])
}

func TestHTTP_BodyOverLimit_413(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.AnonymousBodyBytes = 0 })
	for size, headers := range map[int][]string{1 << 20: alice, 16 << 10: nil} {
		a := b.query(`{ hello } #`+strings.Repeat("x", size), "", headers...)
		require.Equal(t, 413, a.status)
		require.Equal(t, "BAD_USER_INPUT", a.code())
		require.NotContains(t, a.body, "xxx")
		a = b.query(`{ hello } #`+strings.Repeat("x", size-100), "", headers...)
		require.NotEqual(t, 413, a.status, "at most %d bytes are allowed", size)
	}
}

func TestHTTP_TooManyRequestsOfUser_429(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.RequestsPerUser = 2 })
	// Requests whose bodies do not arrive are in progress.
	for range 2 {
		conn, err := net.Dial("tcp", b.server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"Authorization: Bearer alice\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 100"))) // the server reads the body
		require.NoError(t, err)
	}
	a := b.query(`{ hello }`, "", alice...)
	require.Equal(t, 429, a.status)
	require.Equal(t, "RATE_LIMITED", a.code())
	require.EqualValues(t, 1000, a.extension("retryAfterMs"))
	require.Empty(t, b.query(`{ hello }`, "").code(), "anonymous")
	require.Empty(t, b.query(`{ hello }`, "", "Authorization", "Bearer bob").code(), "another user")
}

func TestSSE_Open_IsNoRequestInProgress(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.RequestsPerUser = 1 })
	for range 3 {
		b.openSSE(`subscription { idle }`, alice...)
	}
	require.Empty(t, b.query(`{ hello }`, "", alice...).code())
}

func TestHTTP_LargeResponse_Compressed(t *testing.T) {
	b := start(t, nil)
	a := b.query(`{ big(n: 5000) }`, "", "Accept-Encoding", "br, gzip;q=0.5")
	require.Equal(t, "gzip", a.header.Get("Content-Encoding"))
	require.Contains(t, strings.Join(a.header.Values("Vary"), ","), "Accept-Encoding")
	require.Less(t, len(a.body), 1000)
	reader, err := gzip.NewReader(strings.NewReader(a.body))
	require.NoError(t, err)
	plain, err := io.ReadAll(reader)
	require.NoError(t, err)
	var decoded struct{ Data struct{ Big string } }
	require.NoError(t, json.Unmarshal(plain, &decoded))
	require.Len(t, decoded.Data.Big, 5000)
	for document, encoding := range map[string]string{`{ big(n: 5000) }`: "gzip;q=0", `{ big(n: 10) }`: "gzip"} {
		require.Empty(t, b.query(document, "", "Accept-Encoding", encoding).header.Get("Content-Encoding"))
	}
}

func TestHTTP_OperationTimeout_ResolverStops(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.OperationTimeout = 30 * time.Millisecond })
	a := b.query(`{ wait }`, "")
	require.Equal(t, "SERVICE_UNAVAILABLE", a.code(), a.body)
	receive(t, b.root.Stopped, "the resolver to stop")
}

func TestHTTP_ClientDisconnects_ResolverStops(t *testing.T) {
	b := start(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.server.URL, strings.NewReader(`{"query":"{ wait }"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", jsonType)
	done := make(chan error, 1)
	go func() {
		response, err := b.client.Do(r)
		if err == nil {
			_ = response.Body.Close()
		}
		done <- err
	}()
	receive(t, b.root.Waiting, "the resolver to begin")
	cancel()
	receive(t, b.root.Stopped, "the resolver to stop")
	require.Error(t, receive(t, done, "the client"))
}

func TestObserver_Operations_Reported(t *testing.T) {
	b := start(t, nil)
	b.query(`query Mine { me items(first: 2) { total } }`, "")
	r := receive(t, b.reports, "a report")
	require.Equal(t, "query Mine http", r.Type+" "+r.Name+" "+r.Transport)
	require.Equal(t, 3, r.Cost)
	require.Positive(t, r.Latency)
	b.query(`{ fail(code: "NOT_FOUND") }`, "")
	require.EqualValues(t, "NOT_FOUND", receive(t, b.reports, "a report").Code)
	b.query(`{ x }`, "")
	require.EqualValues(t, "GRAPHQL_VALIDATION_FAILED", receive(t, b.reports, "a report").Code)
}

func TestHTTP_IntrospectionDisabled_SchemaHidden(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.Introspection = false })
	for _, document := range []string{
		`{ __schema { types { name } } }`,
		`{ ...F } fragment F on Query { __type(name: "Item") { name } }`,
	} {
		a := b.query(document, "")
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
		require.Contains(t, a.message(), "Introspection")
	}
	require.Equal(t, "world", b.query(`{ __typename hello }`, "").json["data"].(map[string]any)["hello"])
	for _, document := range []string{
		`{ hell }`,
		`{ items { nodes } }`,
		`{ echo(txt: "a") }`,
		`{ echo(kind: REDD) }`,
		`query($a: Ech) { hello }`,
	} {
		a := b.query(document, "")
		require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
		require.NotContains(t, a.body, "Did you mean", document)
	}
	b = start(t, func(o *serverOptions) { o.Suggestions = true })
	require.Contains(t, b.query(`{ hell }`, "").body, "Did you mean")
}

func TestHTTP_ManyValidationErrors_Truncated(t *testing.T) {
	b := start(t, nil)
	a := b.query(
		`{ items { `+strings.Repeat(
			"x",
			10000,
		)+times(
			200,
			func(i int) string { return " y" + strings.Repeat("z", i) },
		)+` } }`,
		"",
	)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", a.code())
	require.Len(t, a.json["errors"], 10)
	require.Less(t, len(a.body), 10*1000)
}

func TestDataloaders_Query_CreatedOnce(t *testing.T) {
	prepared := make(chan struct{}, 10)
	b := start(t, func(o *serverOptions) {
		o.ResetDataloaders = func(*graphql.OperationContext) { prepared <- struct{}{} }
	})
	b.query(`{ hello }`, "")
	require.Len(t, prepared, 1)
}

// The query is that of graphql-js and GraphiQL, with all options.
func TestHTTP_StandardIntrospectionQuery_WithinLimits(t *testing.T) {
	document, err := os.ReadFile("testdata/introspection.graphql")
	require.NoError(t, err)
	a := start(t, nil).query(string(document), "")
	require.Equal(t, 200, a.status)
	require.Empty(t, a.code(), a.message())
	schema := a.json["data"].(map[string]any)["__schema"].(map[string]any)
	require.Equal(t, map[string]any{"name": "Query", "kind": "OBJECT"}, schema["queryType"])
}

func TestAuthorization_NotABearerToken_Is401(t *testing.T) {
	b := start(t, nil)
	for _, value := range []string{"alice", "Basic YWxpY2U=", "Bearer", "Bearer ", "Bearer a b"} {
		a := b.query(`{ hello }`, "", "Authorization", value)
		require.Equal(t, http.StatusUnauthorized, a.status, value)
		require.Equal(t, "UNAUTHENTICATED", a.code(), value)
		require.Equal(t, `Bearer error="invalid_token"`, a.header.Get("WWW-Authenticate"), value)

		_, response, err := b.tryDial([]string{"graphql-transport-ws"}, "Authorization", value)
		require.Error(t, err, value)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode, value)
	}
	a := b.query(`{ me }`, "", "Authorization", "Bearer alice")
	require.JSONEq(t, `"alice"`, quote(a.json["data"].(map[string]any)["me"].(string)))
}
