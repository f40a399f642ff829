package mcp

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode"

	"errand/internal/apperr"
	"errand/internal/truncate"
	"errand/internal/viewer"
)

// expired reports whether the viewer's token has expired, without the leeway of its verification.
func expired(v viewer.Viewer) bool { return !v.Expires.IsZero() && !time.Now().Before(v.Expires) }

func tokenExpired() error {
	return apperr.New(apperr.Unauthenticated, "The token has expired. Sign in again.")
}

// maxClient is the largest length of a client name in bytes, as the change log stores it.
const maxClient = 128

// clientName removes unprintable characters from a client name and truncates it.
func clientName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	return strings.TrimSpace(truncate.Bytes(name, maxClient))
}

const sessionHeader = "Mcp-Session-Id"

// sessionID returns a session id that carries the client name of the handshake, since replicas keep no
// sessions. It grants nothing.
func sessionID(client string) string {
	return rand.Text() + "." + base64.RawURLEncoding.EncodeToString([]byte(clientName(client)))
}

// clientFromHeader returns the client name of the session id, else the first product of the User-Agent.
func clientFromHeader(h http.Header) string {
	if _, carried, ok := strings.Cut(h.Get(sessionHeader), "."); ok && len(carried) <= 2*maxClient {
		if name, err := base64.RawURLEncoding.DecodeString(carried); err == nil && len(name) > 0 {
			return clientName(string(name))
		}
	}
	product, _, _ := strings.Cut(h.Get("User-Agent"), " ")
	product, _, _ = strings.Cut(product, "/")
	return clientName(product)
}
