// Package listen opens the listeners of the server. Its errors name the setting, the program that uses the address
// already, where the system tells it, and what to do.
package listen

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// Error says why an address cannot be listened on.
type Error struct {
	// Variable is the setting with the address, and Addr its value.
	Variable, Addr string
	// Problem is what is wrong with the address, such as "is in use".
	Problem string
	// Fix is what to do about it.
	Fix   string
	cause error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s %s; %s", e.Variable, e.Addr, e.Problem, e.Fix)
}

// Unwrap returns the error of the system.
func (e *Error) Unwrap() error { return e.cause }

// Open listens on the TCP address of a setting. An error is of type *Error.
func Open(variable, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, newError(variable, addr, err)
	}
	return l, nil
}

// Check returns the error that Open would return now.
func Check(variable, addr string) error {
	l, err := Open(variable, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

// addressInUse is WSAEADDRINUSE, the error number of Windows, which differs from syscall.EADDRINUSE.
const addressInUse = syscall.Errno(10048)

func newError(variable, addr string, err error) *Error {
	e := &Error{Variable: variable, Addr: addr, cause: err}
	host, port, splitErr := net.SplitHostPort(addr)
	number, numberErr := strconv.Atoi(port)
	if splitErr != nil || numberErr != nil {
		number = 0
	}
	setAnother := "set another " + variable
	if variable == "ADDR" {
		setAnother += " or --addr"
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, addressInUse):
		e.Problem = "is in use"
		stop := "stop the program that listens there"
		if who := owner(number); who != "" {
			e.Problem += " by " + who
			stop = "stop it"
		}
		e.Fix = stop + ", or " + setAnother + ", such as " + net.JoinHostPort(host, strconv.Itoa(number%65535+1))
	case errors.Is(err, syscall.EACCES):
		e.Problem = "is not allowed for this user"
		e.Fix = setAnother + " with a port of 1024 or more, behind a reverse proxy, or grant the program " +
			"CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Problem = "is not an address of this machine"
		e.Fix = "set " + variable + " to one of its addresses, to 127.0.0.1:" + port + " or to :" + port +
			" for all of them"
	case errors.As(err, &dns):
		e.Problem = "has a host name that is not known here"
		e.Fix = "set " + variable + " to an address of this machine, such as 127.0.0.1:" + port
	default:
		cause := err
		var op *net.OpError
		if errors.As(err, &op) {
			cause = op.Err
		}
		e.Problem = "cannot be used: " + cause.Error()
		e.Fix = setAnother
	}
	return e
}
