package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// asset is one file of a built page. Exactly one of compressed and content is set, so that the binary contains each
// file once.
type asset struct {
	contentType string
	// hashed means that the file name contains a hash of the content; caches may keep the file forever.
	hashed  bool
	etag    string
	content []byte
	// compressed is the gzip form. It is sent to clients that accept gzip and decompressed for the others.
	compressed []byte
}

// contentTypes replaces mime.TypeByExtension, whose result depends on files of the host.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/markdown; charset=utf-8",
	".png":  "image/png",
	".svg":  "image/svg+xml",

	".webmanifest": "application/manifest+json",
}

// loadAssets reads every file below root. The keys are paths relative to root, without ".gz". A file whose extension
// has no content type is an error.
func loadAssets(root fs.FS) (map[string]*asset, error) {
	assets := map[string]*asset{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		served, compressed := strings.CutSuffix(name, ".gz")
		a, err := newAsset(served, content, compressed)
		assets[served] = a
		return err
	})
	return assets, err
}

func newAsset(name string, content []byte, compressed bool) (*asset, error) {
	contentType, known := contentTypes[path.Ext(name)]
	if !known {
		return nil, fmt.Errorf("web: no content type for %q", name)
	}
	sum := sha256.Sum256(content)
	a := &asset{
		contentType: contentType,
		hashed:      strings.HasPrefix(name, "assets/"),
		etag:        hex.EncodeToString(sum[:12]),
	}
	if compressed {
		a.compressed = content
	} else {
		a.content = content
	}
	return a, nil
}

// ServeHTTP serves GET and HEAD, with conditional requests and ranges.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache")
	if a.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, etag := a.content, a.etag
	if a.compressed != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			content, etag = a.compressed, a.etag+"-gz"
		} else {
			decompressed, err := gunzip(a.compressed)
			if err != nil {
				http.Error(w, "The file cannot be decompressed.", http.StatusInternalServerError)
				return
			}
			content = decompressed
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reports whether Accept-Encoding (RFC 9110, section 12.5.3) contains gzip, x-gzip or * with a weight above
// zero.
func acceptsGzip(h http.Header) bool {
	wildcard := false
	for element := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameter, _ := strings.Cut(element, ";")
		accepted := parseWeight(parameter) > 0
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return accepted
		case "*":
			wildcard = accepted
		}
	}
	return wildcard
}

// parseWeight returns the q parameter of a header element: 1 if it is absent, 0 if it is malformed.
func parseWeight(parameter string) float64 {
	value, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q=")
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return q
}

func gunzip(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
