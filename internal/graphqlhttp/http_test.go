package graphqlhttp_test

import (
	"net/http"
	"strings"
	"testing"

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
