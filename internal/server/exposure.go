package server

import (
	"context"
	"log/slog"
	"os"

	"errand/internal/config"
	"errand/internal/store"
)

// warnExposure logs what gives other users of the machine more access than they need: files that they may read, and a
// server that runs as root. It also logs that links and cookies of accounts follow the Host header of requests.
func (s *Server) warnExposure(ctx context.Context) {
	for _, file := range store.ExposedFiles(s.Config.Database.PrivateFiles()...) {
		s.Log.WarnContext(ctx, "other users of this machine have access to private files",
			slog.String("file", file.String()), slog.String("fix", file.Fix()))
	}
	if s.Config.LocalAccounts() && s.Config.Server.PublicURL == "" && !config.IsLoopbackAddr(s.Config.Server.Addr) {
		s.Log.WarnContext(ctx, "PUBLIC_URL is not set: links of invitations and passkeys have the host name by which the "+
			"request reached the server", slog.String("fix", "set PUBLIC_URL to the address that users open"))
	}
	if os.Geteuid() == 0 {
		s.Log.WarnContext(ctx, "running as root: use a user of its own that owns nothing but the data folder")
	}
}
