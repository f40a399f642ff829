package llm

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// statusError classifies an HTTP error. The text of the report is not kept.
func (c *Client) statusError(resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(gunzip(resp.Body), maxErrorReport))
	report, isReport := parseErrorReport(body)
	status := resp.StatusCode
	e := c.newError(report.kind(status), report.knownCode())
	e.Status = status
	e.mentions = mentionedMembers(status, body)
	e.RetryAfter = max(retryAfter(resp.Header, time.Now()), report.retryDelay)
	e.Reason = report.reason(status)
	if e.Reason == "" || e.Reason == ReasonModelNotFound {
		if byStatus := statusReason(status, resp.Header, body, isReport); byStatus != "" {
			e.Reason = byStatus
		}
	}
	if detail := reasonDetails[e.Reason]; detail != "" {
		e.Detail = strings.TrimSuffix(detail+" ("+e.Detail+")", " ()")
	}
	return e
}

// statusReason returns the reason of an error by its status, and by whether its body is a report of the API: a server
// that does not know the path has another kind of body.
func statusReason(status int, h http.Header, body []byte, isReport bool) Reason {
	switch {
	case status < 400:
		return ReasonRedirect
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		if isReport && !namesPath(body) {
			return ReasonModelNotFound
		}
		return ReasonPathNotFound
	case status == http.StatusPaymentRequired:
		return ReasonNoCredit
	case status == http.StatusRequestEntityTooLarge:
		return ReasonTooLarge
	case status == http.StatusUnauthorized:
		return ReasonKeyRejected
	case status < 500 && status != http.StatusTooManyRequests && !isReport && isWebPage(h, body):
		return ReasonWebPage
	case status == http.StatusForbidden:
		return ReasonKeyRejected
	case status == http.StatusBadRequest && !isReport:
		return classifyText(body)
	default:
		return ""
	}
}

// namesPath reports whether an error of the API is about the path of the request, not about its model.
func namesPath(body []byte) bool {
	text := strings.ToLower(string(body))
	for _, s := range []string{"invalid url", "request url", "file not found", "unknown path", "no route"} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// connectionReason returns the reason of a connection failure, "" if it is none of those that have one.
func connectionReason(err error) Reason {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(err, &dns):
		return ReasonUnknownHost
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return ReasonHTTPOnHTTPS
	case errors.As(err, &cert), errors.As(err, &authority), errors.As(err, &alert):
		return ReasonTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonRefused
	default:
		return ""
	}
}

// safeCause returns the part of a transport error that cannot quote a header, a secret in an address or bytes from the
// server.
func safeCause(err error) error {
	var errno syscall.Errno
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &dns):
		return errors.New("the host name cannot be resolved")
	case errors.As(err, &cert):
		return errors.New("the server's certificate is not trusted")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	case connectionReason(err) != "":
		return errors.New(reasonDetails[connectionReason(err)])
	default:
		return nil
	}
}

// gzipMagic begins a gzip stream. No event stream, JSON or HTML begins like this.
var gzipMagic = []byte{0x1f, 0x8b}

// gunzip returns a reader of r that decompresses it if it is compressed. The HTTP transport decompresses what it has
// asked for; some proxies compress without being asked, and some without the header.
func gunzip(r io.Reader) io.Reader { return &gunzipReader{source: bufio.NewReader(r)} }

type gunzipReader struct {
	source *bufio.Reader
	plain  io.Reader // nil before the first read
}

// Read implements io.Reader.
func (g *gunzipReader) Read(p []byte) (int, error) {
	if g.plain == nil {
		if head, err := g.source.Peek(1); err != nil || head[0] != gzipMagic[0] {
			g.plain = g.source
		} else if head, err := g.source.Peek(2); err != nil || !bytes.Equal(head, gzipMagic) {
			g.plain = g.source
		} else if g.plain, err = gzip.NewReader(g.source); err != nil {
			return 0, err
		}
	}
	return g.plain.Read(p)
}
