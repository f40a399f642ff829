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

func TestAssetsAreTypedAndKeptForGood(t *testing.T) {
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

func TestBothEncodingsCarryTheSameFile(t *testing.T) {
	for _, asset := range references(t) {
		plain := get(t, "GET", asset)
		packed := get(t, "GET", asset, "Accept-Encoding", "br, gzip")
		require.Empty(t, plain.Header.Get("Content-Encoding"))
		require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
		require.Equal(t, "Accept-Encoding", plain.Header.Get("Vary"))
		require.NotEqual(t, plain.Header.Get("ETag"), packed.Header.Get("ETag"))
		unpacked, err := gunzip([]byte(body(t, packed)))
		require.NoError(t, err)
		require.Equal(t, body(t, plain), string(unpacked))
	}
}

func TestKnownETagIsNotSentAgain(t *testing.T) {
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

// A browser fetches these by itself; plain links and namespace names are harmless.
var externalLoad = regexp.MustCompile(
	`(?i)(?:\bsrc\s*[=:]|\bhref\s*=|@import|\burl\(|\bimport\s*\(|\bfrom\s*|\bfetch\(|importScripts\(|` +
		`new (?:WebSocket|Worker|EventSource)\(|sendBeacon\()\s*["'` + "`" + `]?(?:https?:|wss?:)?//[a-z0-9]`)

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	for _, sample := range []string{
		`<script src="https://cdn.example/x.js">`, `@import "//fonts.example/css"`, `url(https://a.example/b.woff2)`,
		`import("https://esm.example/react")`, `new WebSocket("wss://a.example")`,
	} {
		require.Regexp(t, externalLoad, sample, "the scan itself must find this")
	}
	for _, file := range append(references(t), "/playground") {
		require.Empty(t, externalLoad.FindAllString(body(t, get(t, "GET", file)), -1), file)
	}
}

func TestPageStaysLight(t *testing.T) {
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

func TestLicensesOfTheBundledLibrariesAreServed(t *testing.T) {
	text := body(t, get(t, "GET", "/playground/licenses.md"))
	for _, library := range []string{"graphiql", "codemirror", "react", "graphql-ws"} {
		require.Contains(t, text, "## "+library+" - ")
	}
}

func TestUnknownFileTypeIsAFault(t *testing.T) {
	_, err := loadAssets(fstest.MapFS{"assets/a.wasm.gz": {}})
	require.ErrorContains(t, err, "assets/a.wasm")
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP": true, "br;q=1.0, gzip;q=0.5": true, "gzip;q=0": false,
		"gzip;q=0.0, *": false, "*": true, "*;q=0": false, "identity": false, "gzip;q=x": false, "gzipped": false,
	} {
		require.Equal(t, want, acceptsGzip(http.Header{"Accept-Encoding": {header}}), header)
	}
}
