package listen_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"errand/internal/listen"

	"github.com/stretchr/testify/require"
)

func TestCheck_PortInUse_NamesProcessAndSetting(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		err = listen.Check("ADDR", l.Addr().String())
		var e *listen.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.ErrorContains(t, err, "ADDR: "+l.Addr().String()+" is in use")
		require.Contains(t, e.Fix, "set another ADDR or --addr, such as ")
		if runtime.GOOS == "linux" {
			require.Contains(t, e.Problem, fmt.Sprintf("is in use by process %d (", os.Getpid()))
		}
		require.NoError(t, l.Close())
		require.NoError(t, listen.Check("ADDR", l.Addr().String()))
	}
}

func TestCheck_UnusableAddress_SaysWhy(t *testing.T) {
	require.ErrorContains(t, listen.Check("ADMIN_ADDR", "192.0.2.1:8090"),
		"ADMIN_ADDR: 192.0.2.1:8090 is not an address of this machine; set ADMIN_ADDR to one of its addresses")
	require.ErrorContains(t, listen.Check("ADDR", "nosuchhost.invalid:8080"), "has a host name that is not known here")
	var e *listen.Error
	require.NotErrorAs(t, listen.Check("ADDR", "127.0.0.1:0"), &e)
}
