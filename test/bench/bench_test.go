package main

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain serves as a hand-written server when the test's program is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == baselineCommand {
		exit(serveBaseline(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// TestRun_Quick_PrintsTables checks that the statements of the hand-written servers and of the seed fit the schema.
func TestRun_Quick_PrintsTables(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(context.Background(), []string{"-quick", "-users", "5", "-only", "q1,q2l,m1k,search"}, &out))
	for _, text := range []string{
		"Q1: 50 tasks", "Q2L", "M1K", "same work", "Errand, JWKS", "a rare word", "messages with a number",
	} {
		require.Contains(t, out.String(), text)
	}
}

func TestRun_UnknownMeasurement_Fails(t *testing.T) {
	require.ErrorContains(t, run(context.Background(), []string{"-only", "q9"}, &bytes.Buffer{}), `"q9"`)
}
