package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// packages are the folders of the npm packages. Their built files are committed, so that packing needs no Node.
var packages = []string{"web/client", "web/react"}

// manifest holds what packing reads of a package.json.
type manifest struct {
	Name             string            `json:"name"`
	Version          string            `json:"version"`
	PeerDependencies map[string]string `json:"peerDependencies"`
}

// pack writes the archive of an npm package, as "npm pack" does, with the version of the release.
func (r release) pack(folder string) error {
	content, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "errand-package-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	released := filepath.Join(work, "package.json")
	if err := os.WriteFile(released, []byte(r.withVersion(string(content), m)), 0o600); err != nil {
		return err
	}
	entries := []entry{
		{name: "package.json", path: released, mode: 0o644},
		{name: "LICENSE", path: "LICENSE", mode: 0o644},
		{name: "README.md", path: filepath.Join(folder, "README.md"), mode: 0o644},
	}
	built, err := os.ReadDir(filepath.Join(folder, "dist"))
	if err != nil {
		return err
	}
	if len(built) == 0 {
		return errors.New("dist is empty: run make -C web packages")
	}
	for _, file := range built {
		path := filepath.Join(folder, "dist", file.Name())
		entries = append(entries, entry{name: "dist/" + file.Name(), path: path, mode: 0o644})
	}
	name := strings.NewReplacer("@", "", "/", "-").Replace(m.Name)
	return r.writeFile(fmt.Sprintf("%s-%s.tgz", name, r.version), func(w io.Writer) error {
		return r.writeTarGz(w, "package", entries)
	})
}

// withVersion replaces the version of a package.json, and the version of our other packages in its peer dependencies,
// by that of the release.
func (r release) withVersion(content string, m manifest) string {
	line := func(name, version string) string { return fmt.Sprintf("%q: %q", name, version) }
	content = strings.Replace(content, line("version", m.Version), line("version", r.version), 1)
	for name, version := range m.PeerDependencies {
		if strings.HasPrefix(name, "@errand/") {
			content = strings.Replace(content, line(name, version), line(name, r.version), 1)
		}
	}
	return content
}
