package config_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoad_TrustedProxies_ParsedAndValidated(t *testing.T) {
	c := load(t, vars{"TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8,::ffff:192.0.2.1,2001:db8::1"})
	require.Equal(t, []netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::1/128"),
	}, c.Connections.ProxyNetworks())
	require.Empty(t, load(t, nil).Connections.ProxyNetworks())
	for _, bad := range []string{"nginx", "10.0.0.0/33", "10.0.0.1:80", "fe80::1%eth0", "::ffff:10.0.0.0/104", "*"} {
		require.Contains(t, loadErrors(t, vars{"TRUSTED_PROXIES": "10.0.0.1," + bad}, ""), "TRUSTED_PROXIES", bad)
	}
}

func TestLoad_Connections_Validated(t *testing.T) {
	require.Zero(t, load(t, nil).Connections.MaxConnections, "automatic")
	require.Equal(t, 16, load(t, vars{"MAX_CONNECTIONS": "16"}).Connections.MaxConnections)
	for name, value := range map[string]string{
		"MAX_CONNECTIONS":             "15",
		"MAX_CONNECTIONS_PER_ADDRESS": "0",
		"HEADER_TIMEOUT":              "0s",
		"BODY_TIMEOUT":                "6m",
		"WRITE_TIMEOUT":               "0s",
		"IDLE_TIMEOUT":                "2h",
	} {
		require.Contains(t, loadErrors(t, vars{name: value}, ""), name)
	}
}
