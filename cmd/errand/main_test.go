package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable makes the test binary be errand itself: tests that kill it or send it
// signals start it a second time.
const childVariable = "ERRAND_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}
