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

// asset is one file of a built page. Either packed or plain is set, never both, so that
// the binary holds each file once.
type asset struct {
	contentType string
	// hashed says that the name changes with the content, so caches may keep it for good.
	hashed bool
	etag   string
	plain  []byte
	// packed is gzip; it is sent as it is to whoever accepts that and unpacked for the others.
	packed []byte
}

// contentTypes are stated here because mime.TypeByExtension also reads the host's own
// tables, which differ from machine to machine.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".md":   "text/markdown; charset=utf-8",
	".svg":  "image/svg+xml",
}

// loadAssets reads every file below root, keyed by its path there, without ".gz".
// It fails on a type of file it has no content type for.
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
		served, packed := strings.CutSuffix(name, ".gz")
		a, err := newAsset(served, content, packed)
		assets[served] = a
		return err
	})
	return assets, err
}

func newAsset(name string, content []byte, packed bool) (*asset, error) {
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
	if packed {
		a.packed = content
	} else {
		a.plain = content
	}
	return a, nil
}

// ServeHTTP answers GET and HEAD, with conditions and ranges.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", "no-cache")
	if a.hashed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, etag := a.plain, a.etag
	if a.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			content, etag = a.packed, a.etag+"-gz"
		} else {
			unpacked, err := gunzip(a.packed)
			if err != nil {
				http.Error(w, "The file cannot be read.", http.StatusInternalServerError)
				return
			}
			content = unpacked
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip, x-gzip or *, unless their weight is zero.
func acceptsGzip(h http.Header) bool {
	any := false
	for element := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameter, _ := strings.Cut(element, ";")
		wanted := weight(parameter) > 0
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return wanted
		case "*":
			any = wanted
		}
	}
	return any
}

// weight is the q of a header element, 1 when it states none, 0 when it is malformed.
func weight(parameter string) float64 {
	value, stated := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q=")
	if !stated {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return q
}

func gunzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
