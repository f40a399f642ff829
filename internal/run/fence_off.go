//go:build unfenced

package run

// builtUnfenced removes the fence: effects of lost attempts commit. For the chaos test alone.
const builtUnfenced = true
