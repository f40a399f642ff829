package graphqlhttp_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
)

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

func TestHTTP_Response_ReportsCost(t *testing.T) {
	b := start(t, nil)
	a := b.query(`query($n: Int) { items(first: $n) { nodes { id } } }`, `{"n":7}`)
	require.Equal(t, map[string]any{"cost": map[string]any{"requested": 16.0, "limit": 30000.0}}, a.json["extensions"])
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

func TestDataloaders_Query_CreatedOnce(t *testing.T) {
	prepared := make(chan struct{}, 10)
	b := start(t, func(o *serverOptions) {
		o.ResetDataloaders = func(*graphql.OperationContext) { prepared <- struct{}{} }
	})
	b.query(`{ hello }`, "")
	require.Len(t, prepared, 1)
}
