package doctor

import (
	"fmt"
	"os"
	"strings"

	"errand/internal/config"
	"errand/internal/netlimit"
	"errand/internal/store"
)

// checkFiles checks that only the owner of the database, its keys and the settings may read them.
func checkFiles(cfg config.Config) Finding {
	const check = "files"
	var problems, fixes []string
	for _, file := range store.ExposedFiles(cfg.Database.PrivateFiles()...) {
		problems, fixes = append(problems, file.String()), append(fixes, file.Fix())
	}
	if len(problems) == 0 {
		return passed(check, "only their owner can read the database, keys and settings on this machine")
	}
	return warning(check, strings.Join(problems, "; "), "run: "+strings.Join(fixes, " && "))
}

// checkUser warns when the doctor, and so probably the server, runs as root.
func checkUser() Finding {
	const check = "user"
	if os.Geteuid() == 0 {
		return warning(check, "running as root",
			"run errand as a user of its own that owns nothing but the data folder")
	}
	return passed(check, "not root")
}

// checkConnections reports how many connections the server accepts, and what limits them. The limit of file descriptors
// is that of the doctor's own process.
func checkConnections(cfg config.Config) Finding {
	const check = "connections"
	wanted := cfg.Connections.MaxConnections
	l := netlimit.ConnectionLimit(wanted, cfg.ReservedDescriptors())
	detail := fmt.Sprintf("at most %d (MAX_CONNECTIONS=%d)", l.Connections, wanted)
	if l.Descriptors > 0 {
		detail += fmt.Sprintf("; %d file descriptors, of which %d are reserved", l.Descriptors, l.Reserved)
	}
	if l.Tight {
		return warning(
			check,
			detail,
			fmt.Sprintf("raise the limit of open files (ulimit -n, LimitNOFILE of systemd) to at least %d",
				max(wanted, 1000)+l.Reserved),
		)
	}
	return passed(check, detail)
}
