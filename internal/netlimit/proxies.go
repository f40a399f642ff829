package netlimit

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Proxies are the networks of the reverse proxies whose forwarding headers are trusted.
type Proxies []netip.Prefix

// Contains reports whether an address is that of a proxy.
func (p Proxies) Contains(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(ip) })
}

// Wrap returns next, which gets requests as their clients sent them to the proxy: with the client's RemoteAddr (and
// port 0), the Host, and the scheme in URL.Scheme. Requests of other peers keep their RemoteAddr and Host, whatever
// their headers contain. The headers themselves are left: their presence shows that there is a proxy.
func (p Proxies) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme = "http"
		if r.TLS != nil {
			r.URL.Scheme = "https"
		}
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && p.Contains(peer.Addr().Unmap().WithZone("")) {
			p.apply(r, peer.Addr().Unmap().WithZone(""))
		}
		next.ServeHTTP(w, r)
	})
}

// apply sets what the headers of a trusted peer say.
func (p Proxies) apply(r *http.Request, peer netip.Addr) {
	f, ok := forwardedBy(r.Header)
	if !ok {
		return
	}
	if client := p.client(peer, f.chain); client != peer {
		r.RemoteAddr = net.JoinHostPort(client.String(), "0")
	}
	if f.scheme == "http" || f.scheme == "https" {
		r.URL.Scheme = f.scheme
	}
	if f.host != "" && !isLoopback(f.host) { // a page could claim it by DNS rebinding to a proxy on this machine
		r.Host = f.host
	}
}

// client returns the nearest address of the chain that is not a proxy. The chain is ordered from the client to the
// proxy; a client can put anything before its own address, but nothing after it.
func (p Proxies) client(peer netip.Addr, chain []string) netip.Addr {
	client := peer
	for _, hop := range slices.Backward(chain) {
		ip, ok := parseHop(hop)
		if !ok {
			return client
		}
		client = ip
		if !p.Contains(ip) {
			return client
		}
	}
	return client
}

// parseHop returns the address of a node in a forwarding header: an IP address with or without a port.
func parseHop(hop string) (netip.Addr, bool) {
	if addrPort, err := netip.ParseAddrPort(hop); err == nil {
		return addrPort.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return ip.Unmap().WithZone(""), err == nil
}

// forwarded is what forwarding headers say about a request.
type forwarded struct {
	chain        []string // nodes, from the client to the last proxy
	scheme, host string   // as the last proxy saw them; "" means unknown
}

// forwardedBy reads Forwarded (RFC 7239) or the X-Forwarded headers. A proxy that sets one kind passes on what the
// client sent of the other; when both are present and differ, neither is used.
func forwardedBy(h http.Header) (forwarded, bool) {
	standard, hasStandard := parseForwarded(h)
	legacy, hasLegacy := parseXForwarded(h)
	switch {
	case hasStandard && hasLegacy:
		same := slices.Equal(standard.chain, legacy.chain) && standard.scheme == legacy.scheme &&
			standard.host == legacy.host
		return standard, same
	case hasStandard:
		return standard, true
	default:
		return legacy, hasLegacy
	}
}

func parseXForwarded(h http.Header) (f forwarded, present bool) {
	f.chain = headerList(h.Values("X-Forwarded-For"))
	if schemes := headerList(h.Values("X-Forwarded-Proto")); len(schemes) > 0 {
		f.scheme = strings.ToLower(schemes[len(schemes)-1])
	}
	if hosts := headerList(h.Values("X-Forwarded-Host")); len(hosts) > 0 {
		f.host = hosts[len(hosts)-1]
	}
	return f, len(f.chain) > 0 || f.scheme != "" || f.host != ""
}

// parseForwarded reads the standard header: elements separated by commas, each with parameters separated by semicolons.
func parseForwarded(h http.Header) (f forwarded, present bool) {
	for _, element := range headerList(h.Values("Forwarded")) {
		node := "unknown"
		f.scheme, f.host = "", ""
		for pair := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			value = strings.Trim(value, `"`)
			switch strings.ToLower(name) {
			case "for":
				node = value
			case "proto":
				f.scheme = strings.ToLower(value)
			case "host":
				f.host = value
			}
		}
		f.chain = append(f.chain, node)
	}
	return f, len(f.chain) > 0
}

// headerList returns the elements of a header that is a comma-separated list, of all its lines.
func headerList(lines []string) (elements []string) {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.TrimSpace(element); element != "" {
				elements = append(elements, element)
			}
		}
	}
	return elements
}

// isLoopback reports whether a host, with or without a port, names this machine.
func isLoopback(hostPort string) bool {
	host := (&url.URL{Host: hostPort}).Hostname()
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
