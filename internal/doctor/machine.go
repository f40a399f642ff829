package doctor

import (
	"os"
	"strings"

	"errand/internal/config"
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
