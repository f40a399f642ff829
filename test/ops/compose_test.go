package ops

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// root is the repository's folder, from here.
const root = "../.."

var composeFiles = []string{"compose.yaml", "compose.replicas.yaml"}

// loadCompose reads a Compose file as Compose does: it refuses unknown keys, and references to volumes and services that
// do not exist.
func loadCompose(t *testing.T, name string, env ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, name)},
		cli.WithEnv(env), cli.WithConsistency(true), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err, name)
	return project
}

// settingNames returns the names of all settings, which a test of internal/config keeps equal to those of .env.example.
func settingNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]+)=`).FindAllStringSubmatch(read(t, ".env.example"), -1) {
		names = append(names, match[1])
	}
	require.Greater(t, len(names), 50)
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return string(content)
}

func TestCompose_NoPassword_Refused(t *testing.T) {
	for _, name := range composeFiles {
		options, err := cli.NewProjectOptions([]string{filepath.Join(root, name)})
		require.NoError(t, err)
		_, err = options.LoadProject(t.Context())
		require.ErrorContains(t, err, "POSTGRES_PASSWORD", name)
	}
}

func TestCompose_EachErrand_HasKnownSettingsPortsAndALockedRoot(t *testing.T) {
	known := settingNames(t)
	for _, name := range composeFiles {
		project := loadCompose(t, name, "POSTGRES_PASSWORD=secret")
		servers := 0
		for _, service := range project.Services {
			switch {
			case service.Name == "errand" || strings.HasPrefix(service.Name, "errand-"):
				servers++
				checkServer(t, name, service, known)
			case service.Name == "backup":
				require.Equal(t, "backup", service.Build.Target)
				checkBackup(t, service)
			case service.Name == "postgres":
				require.NotNil(t, service.HealthCheck)
				require.Empty(t, service.Ports, "the database is not published")
			default:
				require.Equal(t, "caddy", service.Name)
			}
			if service.Name != "postgres" && service.Name != "caddy" {
				require.True(t, service.ReadOnly, service.Name)
				require.Equal(t, []string{"ALL"}, service.CapDrop, service.Name)
				require.Contains(t, service.SecurityOpt, "no-new-privileges:true")
			}
		}
		require.Equal(t, map[string]int{"compose.yaml": 1, "compose.replicas.yaml": 3}[name], servers)
		for volume := range project.Volumes {
			require.Contains(t, read(t, name), "- "+volume+":/", "%s: nothing uses the volume %s", name, volume)
		}
	}
}

func checkServer(t *testing.T, file string, service types.ServiceConfig, known []string) {
	t.Helper()
	for setting, value := range service.Environment {
		require.Contains(t, known, setting, "%s: %s", file, service.Name)
		require.NotNil(t, value, "%s takes %s from the environment of Compose unseen", file, setting)
	}
	require.Equal(t, "true", *service.Environment["MIGRATE"])
	require.Equal(t, "postgres://errand:secret@postgres:5432/errand", *service.Environment["DATABASE_URL"])
	require.Equal(t, types.ServiceConditionHealthy, service.DependsOn["postgres"].Condition)
	require.Greater(t, time.Duration(*service.StopGracePeriod), 10*time.Second)
	// /data is the only place that the image writes to.
	writable := slices.ContainsFunc(service.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == "/data" && v.Type == types.VolumeTypeVolume && !v.ReadOnly
	}) || slices.ContainsFunc(service.Tmpfs, func(path string) bool { return strings.HasPrefix(path, "/data:") })
	require.True(t, writable, "%s: %s", file, service.Name)
	port := imagePort(t)
	if file == "compose.yaml" {
		require.Len(t, service.Ports, 1)
		require.Equal(t, port, service.Ports[0].Target)
		return
	}
	require.Empty(t, service.Ports, "clients reach the replicas through Caddy only")
	require.Equal(t, service.Name, *service.Environment["REPLICA_NAME"])
	require.Contains(t, read(t, "ops/caddy/Caddyfile"), service.Name+":8080")
}

// checkBackup compares the settings of the backups with those that the script reads.
func checkBackup(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	script := read(t, "ops/backup.sh")
	for setting := range service.Environment {
		if setting != "DATABASE_URL" {
			require.Contains(t, script, "${"+setting+":-")
		}
	}
	require.Len(t, service.Volumes, 1)
	require.Equal(t, "/backups", service.Volumes[0].Target)
	require.Contains(t, script, "${BACKUP_FOLDER:-/backups}")
}

// imagePort returns the port that the image serves on.
func imagePort(t *testing.T) uint32 {
	t.Helper()
	require.Regexp(t, `(?m)^EXPOSE 8080$`, read(t, "Dockerfile"))
	return 8080
}

// TestCompose_DatabaseServer_IsNotNewerThanTheBackupsTools compares major versions: pg_dump refuses newer servers.
func TestCompose_DatabaseServer_IsNotNewerThanTheBackupsTools(t *testing.T) {
	tools := regexp.MustCompile(`(?m)^ARG POSTGRES_VERSION=(\d+)$`).FindStringSubmatch(read(t, "Dockerfile"))
	require.NotNil(t, tools)
	for _, name := range composeFiles {
		project := loadCompose(t, name, "POSTGRES_PASSWORD=secret")
		require.Equal(t, "postgres:"+tools[1]+"-alpine", project.Services["postgres"].Image)
	}
}

// TestCompose_Domain_ReachesCaddyAndTheReplicas checks the addresses that depend on ERRAND_DOMAIN.
func TestCompose_Domain_ReachesCaddyAndTheReplicas(t *testing.T) {
	project := loadCompose(t, "compose.replicas.yaml", "POSTGRES_PASSWORD=secret", "ERRAND_DOMAIN=errand.example.com")
	require.Equal(t, "errand.example.com", *project.Services["caddy"].Environment["ERRAND_DOMAIN"])
	require.Equal(t, "https://errand.example.com", *project.Services["errand-2"].Environment["PUBLIC_URL"])
	for _, volume := range project.Services["caddy"].Volumes {
		if volume.Type == types.VolumeTypeBind {
			info, err := os.Stat(volume.Source)
			require.NoError(t, err)
			require.True(t, info.Mode().IsRegular())
		}
	}
}
