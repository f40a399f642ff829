//go:build unfenced

package runs

// builtUnfenced removes the fence: effects of lost attempts commit. For the chaos test alone.
const builtUnfenced = true
