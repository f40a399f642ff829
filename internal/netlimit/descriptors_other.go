//go:build !unix

package netlimit

// Descriptors reports that the number of open connections is not limited by file descriptors.
func Descriptors() (limit int, ok bool) { return 0, false }
