//go:build !unfenced

package run

// fenceDisabled is true only in binaries built with the tag unfenced. No setting changes it.
const fenceDisabled = false
