package graphqlhttp

import (
	"mime"
	"strconv"
	"strings"
)

// format is a response format.
type format int

const (
	formatNone format = iota
	// formatJSON is application/json.
	formatJSON
	// formatResponse is application/graphql-response+json.
	formatResponse
	// formatIncremental is multipart/mixed for @defer.
	formatIncremental
	// formatSSE is text/event-stream.
	formatSSE
	// formatMultipart is multipart/mixed for subscriptions.
	formatMultipart
)

const (
	mediaTypeJSON      = "application/json"
	mediaTypeResponse  = "application/graphql-response+json"
	mediaTypeSSE       = "text/event-stream"
	mediaTypeMultipart = "multipart/mixed"
)

// mediaRange is one element of an Accept header.
type mediaRange struct {
	kind, sub string
	params    map[string]string
	quality   float64
}

// accept is a parsed Accept header; an absent one accepts everything.
type accept []mediaRange

// parseAccept parses Accept headers (RFC 9110, section 12.5.1). Invalid ranges are ignored.
func parseAccept(headers []string) accept {
	joined := strings.Join(headers, ",")
	if strings.TrimSpace(joined) == "" {
		return accept{{kind: "*", sub: "*", quality: 1}}
	}
	var ranges accept
	for _, element := range splitOutsideQuotes(joined, ',') {
		name, params, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		kind, sub, ok := strings.Cut(name, "/")
		if !ok {
			continue
		}
		r := mediaRange{kind: kind, sub: sub, params: params, quality: 1}
		if q, given := params["q"]; given {
			r.quality = quality(q)
		}
		ranges = append(ranges, r)
	}
	return ranges
}

func quality(s string) float64 {
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || q != q || q < 0 || q > 1 {
		return 0
	}
	return q
}

func splitOutsideQuotes(s string, separator byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// match returns the quality of a media type by its most specific range, and whether that range names the type itself.
// Ranges that the filter rejects are ignored.
func (a accept) match(mediaType string, filter func(params map[string]string) bool) (q float64, named bool) {
	kind, sub, _ := strings.Cut(mediaType, "/")
	specific := -1
	for _, r := range a {
		level := -1
		switch {
		case r.kind == kind && r.sub == sub && (filter == nil || filter(r.params)):
			level = 2
		case r.kind == kind && r.sub == "*":
			level = 1
		case r.kind == "*" && r.sub == "*":
			level = 0
		}
		if level > specific || level == specific && level >= 0 && r.quality > q {
			specific, q, named = level, r.quality, level == 2
		}
	}
	return q, named
}

// offer is a format that the server supports.
type offer struct {
	format    format
	mediaType string
	filter    func(params map[string]string) bool
	// explicit formats are chosen only when the client names them.
	explicit bool
}

var (
	offerJSON        = offer{format: formatJSON, mediaType: mediaTypeJSON}
	offerResponse    = offer{format: formatResponse, mediaType: mediaTypeResponse, explicit: true}
	offerSSE         = offer{format: formatSSE, mediaType: mediaTypeSSE, explicit: true}
	offerIncremental = offer{
		format:    formatIncremental,
		mediaType: mediaTypeMultipart,
		explicit:  true,
		filter:    forDefer,
	}
	offerMultipart = offer{
		format:    formatMultipart,
		mediaType: mediaTypeMultipart,
		explicit:  true,
		filter:    forSubscription,
	}
)

// forDefer accepts ranges with the incremental format that Apollo Client and urql read, and ranges that name none. A
// client that names another format cannot read this one.
func forDefer(params map[string]string) bool {
	return params["deferspec"] == "20220824" || namesNoFormat(params)
}

func forSubscription(params map[string]string) bool {
	return params["subscriptionspec"] == "1.0" || namesNoFormat(params)
}

// namesNoFormat reports whether the parameters of multipart/mixed have none of deferSpec, subscriptionSpec, and
// incrementalSpec of the drafts after 2022.
func namesNoFormat(params map[string]string) bool {
	for name := range params {
		if strings.HasSuffix(name, "spec") {
			return false
		}
	}
	return true
}

// choose returns the acceptable offer of the highest quality. Of offers with the same quality, one that the client
// names takes precedence over one that a wildcard matches, then the first.
func (a accept) choose(offers ...offer) format {
	best, bestQuality, bestNamed := formatNone, 0.0, false
	for _, o := range offers {
		q, named := a.match(o.mediaType, o.filter)
		if q == 0 || o.explicit && !named {
			continue
		}
		if q > bestQuality || q == bestQuality && named && !bestNamed {
			best, bestQuality, bestNamed = o.format, q, named
		}
	}
	return best
}

// forQuery returns the format of a query or mutation, which has @defer if incremental is set.
func (a accept) forQuery(incremental bool) format {
	if incremental {
		return a.choose(offerIncremental, offerResponse, offerJSON, offerSSE)
	}
	return a.choose(offerResponse, offerJSON, offerSSE)
}

// forSubscription returns the format of a subscription, formatNone when the client accepts no streaming format.
func (a accept) forSubscription() format { return a.choose(offerSSE, offerMultipart) }
