package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// watchVariable names, in a watcher's environment, the folder and grace period it watches.
const watchVariable = "ERRAND_TEST_CLUSTER_WATCH"

const (
	usersFile = "users.lock" // held shared by every process that uses the cluster
	watchFile = "watch.lock" // held by the watcher
)

// A program that uses this package becomes a watcher when it is started with watchVariable.
func init() {
	spec, ok := os.LookupEnv(watchVariable)
	if !ok {
		return
	}
	if err := watch(spec); err != nil {
		fmt.Fprintln(os.Stderr, "watching a test cluster:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// startWatcher starts this very program again, to stop the server when nobody
// uses it any more: a killed process cannot clean up after itself.
func startWatcher(s server, home string, grace time.Duration) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), watchVariable+"="+strings.Join([]string{home, s.dir, s.bin, grace.String()}, "\n"))
	// Its own session: a Ctrl-C must not end it. No output: "go test" waits for whoever holds its pipes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, startReady(cmd)
}

// startReady returns when the watcher watches, so that no cluster is ever without one.
func startReady(cmd *exec.Cmd) error {
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd.ExtraFiles = []*os.File{tell}
	err = errors.Join(cmd.Start(), tell.Close())
	if err != nil {
		return err
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		return errors.Join(errors.New("the watcher of the test cluster did not start"), cmd.Wait())
	}
	return nil
}

// sayReady is the watcher's end of startReady.
func sayReady() error {
	tell := os.NewFile(3, "ready") // the first of ExtraFiles
	_, err := tell.Write([]byte{1})
	return errors.Join(err, tell.Close())
}

func watch(spec string) error {
	part := strings.Split(spec, "\n")
	if len(part) != 4 {
		return errors.New("malformed " + watchVariable)
	}
	home, dir, bin := part[0], part[1], part[2]
	grace, err := time.ParseDuration(part[3])
	if err != nil {
		return err
	}
	mine, err := lockFile(filepath.Join(home, watchFile), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return err
	}
	defer mine.Close()
	if err := sayReady(); err != nil {
		return err
	}
	users, err := awaitNobody(filepath.Join(home, usersFile), grace)
	if err != nil {
		return err
	}
	defer users.Close()
	who, err := serverAccount()
	if err != nil {
		return err
	}
	// It may be stopped already. The folder goes in any case; newcomers who wait for its lock notice.
	_ = server{bin: bin, dir: dir, account: who}.stop(context.Background(), "immediate")
	return os.RemoveAll(home)
}

// awaitNobody returns with the users' lock held, after nobody used the cluster for a whole grace period.
func awaitNobody(path string, grace time.Duration) (*os.File, error) {
	users, err := lockFile(path, syscall.LOCK_EX)
	for err == nil && grace > 0 {
		if err = flock(users, syscall.LOCK_UN); err != nil {
			break
		}
		<-time.After(grace)
		err = flock(users, syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = flock(users, syscall.LOCK_EX)
		}
	}
	return users, err
}
