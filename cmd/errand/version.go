package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Build information, set by the Makefile with -ldflags -X. Without it, as with "go build" or "go install", the
// values come from the build information that the Go command embeds.
var version, commit, date string

// buildInfo describes the build of this program.
type buildInfo struct {
	version  string
	commit   string
	date     string // of the build, or of the commit
	modified bool   // the working tree had uncommitted changes
}

// readBuildInfo returns the stamped build information, completed from the embedded one.
func readBuildInfo() buildInfo {
	b := buildInfo{version: version, commit: commit, date: date}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b.withDefaults()
	}
	if b.version == "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.commit == "":
			b.commit = s.Value
		case s.Key == "vcs.time" && b.date == "":
			b.date = s.Value
		case s.Key == "vcs.modified" && commit == "":
			b.modified = s.Value == "true"
		}
	}
	return b.withDefaults()
}

func (b buildInfo) withDefaults() buildInfo {
	if b.version == "" {
		b.version = "devel"
	}
	if b.commit == "" {
		b.commit = "unknown"
	}
	if b.date == "" {
		b.date = "unknown"
	}
	return b
}

func newVersionCommand(inv *invocation) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and build information",
		Args:  refuseArguments,
		RunE:  func(*cobra.Command, []string) error { return writeVersion(inv.stdout, readBuildInfo(), asJSON) },
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// writeVersion prints the build information.
func writeVersion(w io.Writer, b buildInfo, asJSON bool) error {
	if asJSON {
		return writeJSON(w, struct {
			Version  string `json:"version"`
			Commit   string `json:"commit"`
			Modified bool   `json:"modified"`
			Date     string `json:"date"`
			Go       string `json:"go"`
			Platform string `json:"platform"`
		}{b.version, b.commit, b.modified, b.date, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	}
	if b.modified {
		b.commit += " (modified)"
	}
	_, err := fmt.Fprintf(w, "errand %s\ncommit: %s\ndate: %s\ngo: %s %s/%s\n",
		b.version, b.commit, b.date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
