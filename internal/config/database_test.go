package config_test

import (
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestDatabaseURL_Forms_ParsedOrRejected(t *testing.T) {
	for _, tc := range []struct{ set, path, safe string }{
		{"sqlite:./x/errand.db", "./x/errand.db", "sqlite:./x/errand.db"},
		{"sqlite:///var/errand.db", "/var/errand.db", "sqlite:/var/errand.db"},
		{"sqlite:///./errand.db", "./errand.db", "sqlite:./errand.db"},
		{"sqlite:////var/errand.db", "/var/errand.db", "sqlite:/var/errand.db"},
		{"SQLite:errand.db", "errand.db", "sqlite:errand.db"},
		{"postgres://u:p%40ss@h:5432/db?sslmode=require", "", "postgres://u@h:5432/db"},
		{"postgresql://h1,h2:5433/db", "", "postgres://h1,h2:5433/db"},
		{"postgresql+asyncpg://u:pw@h1:5432,h2:5433/db?ssl=require", "", "postgres://u@h1:5432,h2:5433/db"},
		{"postgres:///db?host=/run/postgresql&password=pw", "", "postgres:///db"},
	} {
		url := load(t, vars{"DATABASE_URL": tc.set}).Database.URL
		path, isSQLite := url.SQLitePath()
		require.Equal(t, tc.path, path, tc.set)
		require.Equal(t, tc.path != "", isSQLite)
		require.Equal(t, tc.safe, url.String())
		if !isSQLite {
			require.Equal(t, tc.set, url.Reveal())
		}
	}
	for _, bad := range []string{
		"sqlite:", "sqlite::memory:", "sqlite:file:x.db", "sqlite:x.db?mode=ro", "mysql://h/db", "errand.db", "postgres:db",
		"jdbc:postgresql://h/db", "postgres://u:p#w@h:x/db", "postgres://u:%zz@h/db",
	} {
		require.Contains(t, loadErrors(t, vars{"DATABASE_URL": bad}, ""), "DATABASE_URL", bad)
	}
}

func TestLoad_NeonAlias_UsedOrConflict(t *testing.T) {
	const neon, other = "postgres://u:p@ep.neon.tech/db", "postgres://u:p@other/db"
	require.Equal(t, neon, load(t, vars{"NEON_DATABASE_URL": neon}).Database.URL.Reveal())
	require.Equal(t, neon, load(t, vars{"NEON_DATABASE_URL": neon, "DATABASE_URL": neon}).Database.URL.Reveal())
	for _, chosen := range []string{other, "sqlite:./data/errand.db"} {
		found := loadErrors(t, vars{"NEON_DATABASE_URL": neon, "DATABASE_URL": chosen}, "")
		require.Contains(t, found, "NEON_DATABASE_URL")
	}
}

func TestLoad_URLOption_ReportsItByName(t *testing.T) {
	for option, value := range map[string]string{"gssencmode": "require", "sslmode": "hunter2", "hostaddr": "10.0.0.1"} {
		found := loadErrors(t, vars{"DATABASE_URL": "postgres://u:p@h/db?" + option + "=" + value}, "")
		require.ErrorContains(t, found["DATABASE_URL"], "option "+option)
		require.NotContains(t, found["DATABASE_URL"].Error(), "hunter2")
	}
}

func TestLoad_DirectURL_NeedsPostgresTwice(t *testing.T) {
	const pooled, direct = "postgres://u:p@ep-x-pooler.neon.tech/db", "postgres://u:p@ep-x.neon.tech/db"
	c := load(t, vars{"NEON_DATABASE_URL": pooled, "DATABASE_DIRECT_URL": direct})
	require.Equal(t, direct, c.Database.DirectURL.Reveal())
	for _, bad := range []vars{
		{"DATABASE_DIRECT_URL": direct},
		{"DATABASE_URL": pooled, "DATABASE_DIRECT_URL": "sqlite:x.db"},
		{"DATABASE_URL": pooled, "DATABASE_DIRECT_URL": "nonsense"},
	} {
		require.Contains(t, loadErrors(t, bad, ""), "DATABASE_DIRECT_URL")
	}
}

func TestDevKeyPath_ByDatabase(t *testing.T) {
	require.Equal(t, "data/dev.key", load(t, nil).Database.DevKeyPath())
	require.Equal(t, "/srv/dev.key", load(t, vars{"DATABASE_URL": "sqlite:/srv/errand.db"}).Database.DevKeyPath())
	require.Equal(t, "data/dev.key", load(t, vars{"DATABASE_URL": "postgres://h/db"}).Database.DevKeyPath())
}

func TestLoad_InvalidAlias_NamesAlias(t *testing.T) {
	found := loadErrors(t, vars{"NEON_DATABASE_URL": "nonsense"}, "")
	require.Len(t, found, 1)
	require.IsType(t, config.Error{}, found["NEON_DATABASE_URL"])
}
