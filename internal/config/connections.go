package config

import (
	"net/netip"
	"strings"
	"time"
)

// Connections are the limits of connections, before any user is known.
type Connections struct {
	// MaxConnections is the number of open connections, up to 1000000; 0 means as many as the limit of file
	// descriptors allows, at most 25000.
	MaxConnections int `env:"MAX_CONNECTIONS" envDefault:"0"`
	// ConnectionsPerAddress is the number of connections of one address, other than loopback and TrustedProxies,
	// whose current request is not authenticated, 4 to 1000000.
	ConnectionsPerAddress int `env:"MAX_CONNECTIONS_PER_ADDRESS" envDefault:"128"`
	// TrustedProxies are the addresses and networks of reverse proxies; see ProxyNetworks.
	TrustedProxies []string `env:"TRUSTED_PROXIES"`
	// HeaderTimeout is the time within which the header of a request must arrive, 100ms to 5m.
	HeaderTimeout time.Duration `env:"HEADER_TIMEOUT" envDefault:"10s"`
	// BodyTimeout is the time within which the body of a request must arrive, 100ms to 5m.
	BodyTimeout time.Duration `env:"BODY_TIMEOUT" envDefault:"15s"`
	// WriteTimeout is the time for which a client may keep a response or an event of a stream waiting, 100ms to 5m.
	WriteTimeout time.Duration `env:"WRITE_TIMEOUT" envDefault:"15s"`
	// IdleTimeout is the time for which a connection may wait for the next request, 100ms to 1h.
	IdleTimeout time.Duration `env:"IDLE_TIMEOUT" envDefault:"2m"`
}

// ProxyNetworks returns the networks of TrustedProxies. An address is a network of itself.
func (c Connections) ProxyNetworks() []netip.Prefix {
	networks := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, text := range c.TrustedProxies {
		if network, ok := parseNetwork(text); ok {
			networks = append(networks, network)
		}
	}
	return networks
}

func parseNetwork(text string) (netip.Prefix, bool) {
	text = strings.TrimSpace(text)
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err == nil && !network.Addr().Is4In6()
}

func (c Connections) validate(errs *Errors) {
	if c.MaxConnections != 0 {
		validateRange(errs, "MAX_CONNECTIONS", c.MaxConnections, 16, 1_000_000)
	}
	validateRange(errs, "MAX_CONNECTIONS_PER_ADDRESS", c.ConnectionsPerAddress, 4, 1_000_000)
	for _, text := range c.TrustedProxies {
		if _, ok := parseNetwork(text); !ok {
			errs.add("TRUSTED_PROXIES", "contains an item that is not an address or a network",
				"a comma-separated list such as 127.0.0.1,10.0.0.0/8,2001:db8::/32")
		}
	}
	validateRange(errs, "HEADER_TIMEOUT", c.HeaderTimeout, 100*time.Millisecond, 5*time.Minute)
	validateRange(errs, "BODY_TIMEOUT", c.BodyTimeout, 100*time.Millisecond, 5*time.Minute)
	validateRange(errs, "WRITE_TIMEOUT", c.WriteTimeout, 100*time.Millisecond, 5*time.Minute)
	validateRange(errs, "IDLE_TIMEOUT", c.IdleTimeout, 100*time.Millisecond, time.Hour)
}
