package deploy

import (
	"os"
	"testing"

	"errand/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.RunTests(m)) }
