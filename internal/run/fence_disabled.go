//go:build unfenced

package run

// fenceDisabled removes the fence: effects of attempts without a lease commit. The chaos test (test/chaos) uses
// it to verify that it detects the resulting faults.
const fenceDisabled = true
