package cluster

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the operating system user that runs the server. PostgreSQL refuses to run as root.
type account struct {
	uid, gid int
}

// serverAccount returns the caller's account. For root it returns the account of postgres or nobody.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.Atoi(u.Uid)
		gid, errGID := strconv.Atoi(u.Gid)
		if errUID == nil && errGID == nil && uid != 0 {
			return account{uid: uid, gid: gid}, nil
		}
	}
	return account{}, fmt.Errorf("PostgreSQL cannot run as root, and neither the user postgres nor nobody exists")
}

// chown makes the account the owner of path if the caller is root.
func (a account) chown(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// sysProcAttr returns the attributes of a command that runs as the account, nil if the caller is not root.
func (a account) sysProcAttr() *syscall.SysProcAttr {
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
}
