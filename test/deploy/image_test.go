package deploy

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"errand/internal/testclient"
	"errand/test/harness"

	"github.com/stretchr/testify/require"
)

// image is the file tree of the last stage of the Dockerfile, and how its program runs.
type image struct {
	tree       string
	environ    map[string]string
	uid, gid   int
	entrypoint []string
	command    []string
	health     []string
	volume     string
}

// buildImage executes the Dockerfile: the commands of its build stage and the copies of its last one.
func buildImage(t *testing.T) image {
	t.Helper()
	stages, globals := readDockerfile(t)
	build, last := stages[0], stages[len(stages)-1]
	require.Equal(t, "build", build.name)
	require.Equal(t, "scratch", last.base)
	require.Contains(t, build.base, "golang:"+globals["GO_VERSION"]+"-")
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^go `+regexp.QuoteMeta(globals["GO_VERSION"])+`(\.\d+)?$`, string(goMod))

	source, out := t.TempDir(), t.TempDir()
	copyContext(t, source)
	for _, s := range stages[1:] {
		requireSources(t, s, source)
	}
	runBuildStage(t, build, source, out)
	img := image{tree: t.TempDir(), environ: last.environment()}
	for _, i := range last.instructions {
		if i.name != "COPY" {
			continue
		}
		from, to, _ := strings.Cut(i.args, " ")
		base := source
		if i.flag("--from=") != "" {
			require.Equal(t, "build", i.flag("--from="))
			from = strings.TrimPrefix(from, "/out/")
			base = out
		}
		img.copy(t, filepath.Join(base, from), to, i.flag("--chown="))
	}
	user, group, _ := strings.Cut(last.only(t, "USER"), ":")
	img.uid, err = strconv.Atoi(user)
	require.NoError(t, err, "USER is a number, so that Kubernetes can check that it is not root")
	img.gid, err = strconv.Atoi(group)
	require.NoError(t, err)
	require.NotZero(t, img.uid)
	img.entrypoint = command(t, last.only(t, "ENTRYPOINT"))
	img.command = command(t, last.only(t, "CMD"))
	_, check, found := strings.Cut(last.only(t, "HEALTHCHECK"), "CMD ")
	require.True(t, found)
	img.health = command(t, check)
	img.volume = last.only(t, "VOLUME")
	// SQLite sorts large results in files, and fails without a folder for them.
	require.Equal(t, img.volume, img.environ["SQLITE_TMPDIR"])
	require.Equal(t, ":"+last.only(t, "EXPOSE"), img.environ["ADDR"])
	return img
}

// requireSources checks that what a stage copies from the build context is in it.
func requireSources(t *testing.T, s stage, source string) {
	t.Helper()
	for _, i := range s.instructions {
		if i.name == "COPY" && i.flag("--from=") == "" {
			from, _, _ := strings.Cut(i.args, " ")
			require.FileExists(t, filepath.Join(source, from))
		}
	}
}

// runBuildStage runs the commands of the build stage in the folder source, with /out at another place.
func runBuildStage(t *testing.T, build stage, source, out string) {
	t.Helper()
	environ := append(os.Environ(), "GOFLAGS=-mod=readonly")
	values := map[string]string{"TARGETARCH": runtime.GOARCH}
	for _, i := range build.instructions {
		switch i.name {
		case "ARG":
			name, value, _ := strings.Cut(i.args, "=")
			if values[name] == "" {
				values[name] = value
			}
			environ = append(environ, name+"="+values[name])
		case "RUN":
			run := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(i.args, "/out", out))
			run.Dir, run.Env = source, environ
			output, err := run.CombinedOutput()
			require.NoError(t, err, "%s: %s", i.args, output)
		}
	}
}

// copy copies a file or folder into the tree, as root or with the owner UID:GID.
func (img image) copy(t *testing.T, from, to, owner string) {
	t.Helper()
	target := filepath.Join(img.tree, to)
	info, err := os.Stat(from)
	require.NoError(t, err)
	if info.IsDir() {
		require.NoError(t, os.Mkdir(target, info.Mode()))
	} else {
		content, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(target, content, info.Mode()|0o444))
	}
	if owner != "" && isRoot() {
		user, group, _ := strings.Cut(owner, ":")
		uid, err := strconv.Atoi(user)
		require.NoError(t, err)
		gid, err := strconv.Atoi(group)
		require.NoError(t, err)
		require.NoError(t, os.Chown(target, uid, gid))
	}
}

func isRoot() bool { return os.Geteuid() == 0 }

// process returns a command of the image. Root runs it as the image's user with the tree as the root of its file
// system, where that user can write to the volume only. Other users cannot: for them, the program starts in a tree
// that is not writable.
func (img image) process(t *testing.T, settings map[string]string, words ...string) *exec.Cmd {
	t.Helper()
	require.NoError(t, os.Chmod(img.tree, 0o555)) //nolint:gosec // as in an image
	t.Cleanup(func() { _ = os.Chmod(img.tree, 0o700) })
	values := map[string]string{}
	for name, value := range img.environ {
		values[name] = value
	}
	for name, value := range settings {
		values[name] = value
	}
	c := exec.CommandContext(t.Context(), words[0], words[1:]...)
	if isRoot() {
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{
			Chroot:     img.tree,
			Credential: &syscall.Credential{Uid: uint32(img.uid), Gid: uint32(img.gid)}, //nolint:gosec // small numbers
		}
	} else {
		c.Path, c.Dir = filepath.Join(img.tree, words[0]), img.tree
		for name, value := range values {
			values[name] = strings.ReplaceAll(value, img.volume, filepath.Join(img.tree, img.volume))
		}
	}
	c.Env = []string{}
	for name, value := range values {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// inVolume returns a path below the volume, as processes of the image see it.
func (img image) inVolume(name string) string {
	path := filepath.Join(img.volume, name)
	if !isRoot() {
		path = filepath.Join(img.tree, path)
	}
	return path
}

// files returns the paths in the tree, without those in the volume.
func (img image) files(t *testing.T) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(img.tree, func(path string, _ os.DirEntry, err error) error {
		require.NoError(t, err)
		paths = append(paths, strings.TrimPrefix(path, img.tree))
		if strings.HasPrefix(path, filepath.Join(img.tree, img.volume)) {
			return filepath.SkipDir
		}
		return nil
	}))
	return paths
}

// TestImage_TreeOfTheDockerfile_ServesAndIsHealthy builds the image's tree and runs the program in it: nothing but the
// files that the Dockerfile copies exists, and nothing but the volume can be written.
func TestImage_TreeOfTheDockerfile_ServesAndIsHealthy(t *testing.T) {
	img := buildImage(t)
	require.Equal(t, []string{"", "/LICENSE", "/data", "/errand"}, img.files(t))
	port := freePort(t)
	settings := map[string]string{
		"ADDR": ":" + port, "ADMIN_ADDR": "off", "BETTER_AUTH_SECRET": harness.Secret, "RULES_PACE": "0s",
	}
	health := func() ([]byte, error) { return img.process(t, settings, img.health...).CombinedOutput() }
	out, err := health()
	require.Error(t, err, "%s", out)

	url := "http://127.0.0.1:" + port
	server := startServer(t, img.process(t, settings, append(img.entrypoint, img.command...)...))
	out, err = health()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ok\n", string(out))

	client := testclient.New(t, url, harness.Token(t, "alice"))
	conversation := &harness.Conversation{Client: client}
	require.Empty(t, client.Try(t,
		`mutation { updateViewer(input: {timeZone: "Asia/Tokyo"}) { viewer { timeZone } } }`, nil).Errors)
	reply := conversation.SendAndWait(t, "Add a task to renew the passport on 2031-01-15 at 9am")
	require.Equal(t, "COMPLETED", reply.Status)
	require.Equal(t, "2031-01-15T00:00:00Z", *harness.AllTasks(t, client)[0].DueAt, "time zones are in the program")

	out, err = img.process(t, settings, img.entrypoint[0], "backup", img.inVolume("copy")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	server.stop(t)
	out, err = health()
	require.Error(t, err)
	require.Contains(t, string(out), "does not respond")
	require.Equal(t, []string{"", "/LICENSE", "/data", "/errand"}, img.files(t), "files were written beside the volume")
}

// serverProcess is a running server.
type serverProcess struct {
	command *exec.Cmd
	log     *bytes.Buffer // complete when the process has ended
	ended   chan error
}

// startServer starts a server and waits until it serves. It is killed when the test ends.
func startServer(t *testing.T, c *exec.Cmd) *serverProcess {
	t.Helper()
	p := &serverProcess{command: c, log: &bytes.Buffer{}, ended: make(chan error, 1)}
	serving := make(chan struct{})
	c.Stderr = &watcher{log: p.log, text: `"msg":"serving"`, seen: serving}
	require.NoError(t, c.Start())
	go func() { p.ended <- c.Wait() }()
	t.Cleanup(func() { _ = c.Process.Kill() })
	select {
	case <-serving:
	case err := <-p.ended:
		p.ended <- err
		require.Fail(t, "the server ended", "%v: %s", err, p.log)
	case <-time.After(testclient.Timeout):
		require.Fail(t, "the server does not serve")
	}
	return p
}

// stop sends SIGTERM, as a container daemon does, and expects a clean exit.
func (p *serverProcess) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-p.ended, "%s", p.log)
}

// watcher closes seen when a text was written to log.
type watcher struct {
	log  *bytes.Buffer
	text string
	seen chan struct{}
	done bool
}

// Write implements io.Writer.
func (w *watcher) Write(p []byte) (int, error) {
	n, err := w.log.Write(p)
	if !w.done && bytes.Contains(w.log.Bytes(), []byte(w.text)) {
		w.done = true
		close(w.seen)
	}
	return n, err
}

// freePort returns a port that no program listens on.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
}
