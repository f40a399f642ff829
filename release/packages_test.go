package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestPack_EachPackage_HasTheVersionOfTheRelease packs as "make release" does and reads the archives.
func TestPack_EachPackage_HasTheVersionOfTheRelease(t *testing.T) {
	t.Chdir("..")
	r := release{version: "1.2.3", date: time.Unix(0, 0), out: t.TempDir()}
	for _, folder := range packages {
		require.NoError(t, r.pack(folder))
		files := readPackage(t, filepath.Join(r.out, "errand-"+filepath.Base(folder)+"-1.2.3.tgz"))
		var m manifest
		require.NoError(t, json.Unmarshal(files["package/package.json"], &m))
		require.Equal(t, "1.2.3", m.Version)
		require.Equal(t, "@errand/"+filepath.Base(folder), m.Name)
		if folder == "web/react" {
			require.Equal(t, "1.2.3", m.PeerDependencies["@errand/client"])
		}
		for _, name := range []string{"README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"} {
			require.NotEmpty(t, files["package/"+name], name)
		}
	}
}

// readPackage returns the files of an npm archive by name.
func readPackage(t *testing.T, path string) map[string][]byte {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	gz, err := gzip.NewReader(file)
	require.NoError(t, err)
	files := map[string][]byte{}
	for archive := tar.NewReader(gz); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		files[header.Name], err = io.ReadAll(archive)
		require.NoError(t, err)
	}
}
