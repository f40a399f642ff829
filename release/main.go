// Release builds the release archives of cmd/errand: one per platform, each with the binary, the licence, the readme,
// the changelog, the settings template, and the folders docs and ops. Beside every archive it writes a CycloneDX
// software bill of materials of that binary, the archives of the npm packages, and for all files one SHA256SUMS.
//
// The output depends only on the source, the Go version and the flags: archives carry the -date as the time of every
// file, binaries are built with -trimpath, and SBOMs have no serial number. Run it with "make release".
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// platforms are the released GOOS/GOARCH pairs.
var platforms = []string{
	"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64",
}

// documents are the files and folders packed beside the binary.
var documents = []string{"LICENSE", "README.md", "CHANGELOG.md", ".env.example", "docs", "ops"}

// release holds the flags.
type release struct {
	version string    // without a leading "v"
	date    time.Time // modification time of all packed files
	ldflags string    // passed to go build
	sbom    string    // path of the cyclonedx-gomod executable
	out     string    // output folder; emptied first
	// platforms are the pairs to build.
	platforms []string
}

// entry is one file of an archive.
type entry struct {
	name string // in the archive, below its top folder
	path string // on disk
	mode os.FileMode
}

func main() {
	r := release{}
	flag.StringVar(&r.version, "version", "", "`version` without a leading v")
	date := flag.String("date", "", "modification `time` of packed files, RFC 3339")
	flag.StringVar(&r.ldflags, "ldflags", "", "linker `flags`")
	flag.StringVar(&r.sbom, "sbom", "", "`path` of cyclonedx-gomod; without it, no SBOMs are written")
	only := flag.String("platforms", strings.Join(platforms, ","), "`pairs` of GOOS/GOARCH to build")
	flag.StringVar(&r.out, "out", "dist", "output `folder`")
	flag.Parse()
	r.platforms = strings.Split(*only, ",")
	var err error
	if r.date, err = time.Parse(time.RFC3339, *date); err == nil {
		err = r.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func (r release) run() error {
	if r.version == "" {
		return errors.New("-version is required")
	}
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return err
	}
	for _, platform := range r.platforms {
		goos, goarch, _ := strings.Cut(platform, "/")
		if err := r.build(goos, goarch); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	for _, folder := range packages {
		if err := r.pack(folder); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return r.checksums()
}

// build writes the archive and the SBOM of one platform.
func (r release) build(goos, goarch string) error {
	name := fmt.Sprintf("errand_%s_%s_%s", r.version, goos, goarch)
	work, err := os.MkdirTemp("", "errand-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	executable := "errand"
	if goos == "windows" {
		executable += ".exe"
	}
	binary := filepath.Join(work, executable)
	build := exec.Command(
		"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", r.ldflags, "-o", binary, "./cmd/errand",
	)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if err := runCommand(build); err != nil {
		return err
	}
	if r.sbom != "" {
		if err := r.writeSBOM(binary, filepath.Join(r.out, name+".cdx.json")); err != nil {
			return err
		}
	}
	packed, err := documentEntries()
	if err != nil {
		return err
	}
	entries := append([]entry{{name: executable, path: binary, mode: 0o755}}, packed...)
	if goos == "windows" {
		return r.writeFile(name+".zip", func(w io.Writer) error { return r.writeZip(w, name, entries) })
	}
	return r.writeFile(name+".tar.gz", func(w io.Writer) error { return r.writeTarGz(w, name, entries) })
}

// documentEntries returns the documents, those in folders by name. Scripts stay executable.
func documentEntries() (entries []entry, err error) {
	for _, document := range documents {
		err = errors.Join(err, filepath.WalkDir(document, func(path string, file fs.DirEntry, err error) error {
			if err != nil || file.IsDir() {
				return err
			}
			mode := os.FileMode(0o644)
			if filepath.Ext(path) == ".sh" {
				mode = 0o755
			}
			entries = append(entries, entry{name: filepath.ToSlash(path), path: path, mode: mode})
			return nil
		}))
	}
	return entries, err
}

// writeSBOM lists the modules linked into binary. The tool adds the current time; it is replaced by the -date.
func (r release) writeSBOM(binary, path string) error {
	tool := exec.Command(r.sbom, "bin", "-json", "-std", "-noserial", "-version", "v"+r.version, "-output", path, binary)
	if err := runCommand(tool); err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var sbom map[string]any
	if err := json.Unmarshal(content, &sbom); err != nil {
		return err
	}
	metadata, ok := sbom["metadata"].(map[string]any)
	if !ok {
		return fmt.Errorf("%s has no metadata", path)
	}
	metadata["timestamp"] = r.date.UTC().Format(time.RFC3339)
	if content, err = json.MarshalIndent(sbom, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}

func (r release) writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

func (r release) writeTarGz(w io.Writer, folder string, entries []entry) error {
	gz, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(gz)
	for _, e := range entries {
		content, err := os.ReadFile(e.path)
		if err != nil {
			return err
		}
		header := tar.Header{
			Name:    folder + "/" + e.name,
			Mode:    int64(e.mode),
			Size:    int64(len(content)),
			ModTime: r.date,
			Format:  tar.FormatPAX,
		}
		if err := archive.WriteHeader(&header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), gz.Close())
}

func (r release) writeZip(w io.Writer, folder string, entries []entry) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		content, err := os.ReadFile(e.path)
		if err != nil {
			return err
		}
		header := zip.FileHeader{Name: folder + "/" + e.name, Method: zip.Deflate, Modified: r.date.UTC()}
		header.SetMode(e.mode)
		file, err := archive.CreateHeader(&header)
		if err != nil {
			return err
		}
		if _, err := file.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// checksums writes SHA256SUMS in the format of sha256sum -c.
func (r release) checksums() error {
	files, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(r.out, file.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file.Name())
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// runCommand runs c; the error includes what c wrote to stderr.
func runCommand(c *exec.Cmd) error {
	var stderr strings.Builder
	c.Stderr = &stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(c.Path), err, stderr.String())
	}
	return nil
}
