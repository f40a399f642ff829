// Package upgrade tests the upgrade from an earlier version: commit 7fc6dd0, the first whose databases are in use.
//
// testdata holds a database of that version for each engine, and what its server sent about it: responses, events with
// their cursors, and the notifications between replicas. The tests upgrade the databases with the present version. They
// were recorded by earlier.sh, which builds the earlier version; record again only to record more.
package upgrade

import (
	"os"
	"testing"

	"errand/test/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.RunTests(m))
}
