package listen

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// owner describes the process that listens on a TCP port, "" if that cannot be found out.
func owner(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if uid, inode, ok := parseListener(line, port); ok {
				return describeOwner(uid, inode)
			}
		}
	}
	return ""
}

// parseListener returns the user ID and the inode of a socket that listens on the port, from a line of /proc/net/tcp.
func parseListener(line string, port int) (uid, inode string, ok bool) {
	const local, state, uidField, inodeField, listening = 1, 3, 7, 9, "0A"
	fields := strings.Fields(line)
	if len(fields) <= inodeField || fields[state] != listening {
		return "", "", false
	}
	_, hex, _ := strings.Cut(fields[local], ":")
	number, err := strconv.ParseUint(hex, 16, 16)
	return fields[uidField], fields[inodeField], err == nil && int(number) == port
}

// describeOwner describes the process that has the socket open. Sockets of other users' processes are visible to root
// only.
func describeOwner(uid, inode string) string {
	sockets, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is valid
	for _, path := range sockets {
		if target, err := os.Readlink(path); err == nil && target == "socket:["+inode+"]" {
			pid := strings.Split(path, "/")[2]
			name, err := os.ReadFile("/proc/" + pid + "/comm")
			if err != nil {
				return "process " + pid
			}
			return fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name)))
		}
	}
	if u, err := user.LookupId(uid); err == nil {
		return "a process of user " + u.Username
	}
	return "a process of user " + uid
}
