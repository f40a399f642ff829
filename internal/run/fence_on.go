//go:build !unfenced

package run

// builtUnfenced is true only in binaries built with the tag unfenced, which the chaos test uses
// to show that it notices. No setting reaches it.
const builtUnfenced = false
