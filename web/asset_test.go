package web

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestAsset_HashedFiles_AreTypedAndImmutable(t *testing.T) {
	types := map[string]string{}
	for _, asset := range references(t) {
		response := get(t, "GET", asset)
		require.Equal(t, http.StatusOK, response.StatusCode, asset)
		require.Equal(t, "public, max-age=31536000, immutable", response.Header.Get("Cache-Control"), asset)
		types[path.Ext(asset)] = response.Header.Get("Content-Type")
	}
	require.Equal(t, map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}, types)
}

func TestAsset_GzipAndIdentity_HaveTheSameContent(t *testing.T) {
	for _, asset := range references(t) {
		identity := get(t, "GET", asset)
		compressed := get(t, "GET", asset, "Accept-Encoding", "br, gzip")
		require.Empty(t, identity.Header.Get("Content-Encoding"))
		require.Equal(t, "gzip", compressed.Header.Get("Content-Encoding"))
		require.Equal(t, "Accept-Encoding", identity.Header.Get("Vary"))
		require.NotEqual(t, identity.Header.Get("ETag"), compressed.Header.Get("ETag"))
		decompressed, err := gunzip([]byte(body(t, compressed)))
		require.NoError(t, err)
		require.Equal(t, body(t, identity), string(decompressed))
	}
}

func TestAsset_MatchingETag_ReturnsNotModified(t *testing.T) {
	for _, asset := range append(references(t), "/playground") {
		for _, encoding := range []string{"identity", "gzip"} {
			etag := get(t, "GET", asset, "Accept-Encoding", encoding).Header.Get("ETag")
			require.NotEmpty(t, etag)
			again := get(t, "GET", asset, "Accept-Encoding", encoding, "If-None-Match", etag)
			require.Equal(t, http.StatusNotModified, again.StatusCode)
			require.Empty(t, body(t, again))
		}
	}
}

// externalLoad matches what a browser loads from another host without a click. Links and XML namespaces do not match.
var externalLoad = regexp.MustCompile(
	`(?i)(?:\bsrc\s*[=:]|\bhref\s*=|@import|\burl\(|\bimport\s*\(|\bfrom\s*|\bfetch\(|importScripts\(|` +
		`new (?:WebSocket|Worker|EventSource)\(|sendBeacon\()\s*["'` + "`" + `]?(?:https?:|wss?:)?//[a-z0-9]`)

func TestPlayground_Files_LoadNothingFromOtherHosts(t *testing.T) {
	for _, sample := range []string{
		`<script src="https://cdn.example/x.js">`, `@import "//fonts.example/css"`, `url(https://a.example/b.woff2)`,
		`import("https://esm.example/react")`, `new WebSocket("wss://a.example")`,
	} {
		require.Regexp(t, externalLoad, sample, "externalLoad must match this sample")
	}
	for _, file := range append(references(t), "/playground") {
		require.Empty(t, externalLoad.FindAllString(body(t, get(t, "GET", file)), -1), file)
	}
}

func TestPlayground_EmbeddedSize_IsBounded(t *testing.T) {
	total := int64(0)
	require.NoError(t, fs.WalkDir(playgroundFiles, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		total += info.Size()
		return err
	}))
	require.Less(t, total, int64(1_500_000), "bytes embedded")
}

func TestPlayground_Licenses_OfBundledLibrariesAreServed(t *testing.T) {
	text := body(t, get(t, "GET", "/playground/licenses.md"))
	for _, library := range []string{"graphiql", "codemirror", "react", "graphql-ws"} {
		require.Contains(t, text, "## "+library+" - ")
	}
}

func TestLoadAssets_UnknownExtension_ReturnsError(t *testing.T) {
	_, err := loadAssets(fstest.MapFS{"assets/a.wasm.gz": {}})
	require.ErrorContains(t, err, "assets/a.wasm")
}

func TestAcceptsGzip_Headers_ReturnExpectedResult(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP": true, "br;q=1.0, gzip;q=0.5": true, "gzip;q=0": false,
		"gzip;q=0.0, *": false, "*": true, "*;q=0": false, "identity": false, "gzip;q=x": false, "gzipped": false,
	} {
		require.Equal(t, want, acceptsGzip(http.Header{"Accept-Encoding": {header}}), header)
	}
}
