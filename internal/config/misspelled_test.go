package config_test

import (
	"strings"
	"testing"

	"errand/internal/config"

	"github.com/stretchr/testify/require"
)

func TestFindMisspelled_DotenvFile_LinesCounted(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // "name line"
	}{
		"first line":       {"DATABSE_URL=x", []string{"DATABSE_URL 1"}},
		"comments":         {"# a\n\n  # b=c\nLOG_LEVL=x # ADDRR=y\n", []string{"LOG_LEVL 4"}},
		"export":           {"export ADDR=:1\nexport\tADRR=:2\n", []string{"ADRR 2"}},
		"double quotes":    {"REPLICA_NAME=\"a\nADRR=b\n\\\"c\"\nADRR=1", []string{"ADRR 4"}},
		"single quotes":    {"OPENAI_API_KEY='a\nb\n\nc' # d\nMIGRTAE=true", []string{"MIGRTAE 5"}},
		"apostrophe":       {"REPLICA_NAME=it's\nMIGRTAE=true", []string{"MIGRTAE 2"}},
		"CRLF":             {"# a\r\nADDR=:1\r\n\r\nLLM_MODELL=x\r\n", []string{"LLM_MODELL 4"}},
		"CRLF in quotes":   {"LLM_MODEL=\"a\r\nb\"\r\nLLM_MODELL=x", []string{"LLM_MODELL 3"}},
		"byte order mark":  {"\ufeffADRR=:1\nLLM_PROVDER=x", []string{"ADRR 1", "LLM_PROVDER 2"}},
		"colon":            {"ADDR: :1\nADRR: :2", []string{"ADRR 2"}},
		"empty value":      {"ADDR=\nADRR=\nADRR", []string{"ADRR 2"}},
		"case":             {"addr=:1\nDatabase_Url=x\n", []string{"addr 1", "Database_Url 2"}},
		"other programs'":  {"NEXT_PUBLIC_URL=x\nPORT=1\nPOSTGRES_USER=x\nNODE_ENV=x\n", nil},
		"known names":      {"ADDR=1\nERRAND_TOKEN=x\nNEON_DATABASE_URL=x", nil},
		"after a mistake":  {"ADRR=1\nLLM%MODEL=x\nADDRR=1", []string{"ADRR 1"}},
		"twice":            {"ADRR=1\nADRR=2", []string{"ADRR 1", "ADRR 2"}},
		"spaces":           {"  ADRR = 1\n\tLOG_LEVELL=x", []string{"ADRR 1", "LOG_LEVELL 2"}},
		"value with equal": {"LLM_PRICES=\"ADRR=1\"\nADRR=2", []string{"ADRR 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := dotenv(t, c.text)
			var got []string
			for _, m := range config.FindMisspelled(nil, path) {
				require.Equal(t, path, m.File)
				require.Contains(t, m.String(), path+", line ")
				got = append(got, strings.Join(append([]string{m.Name}, strings.Fields(m.String()[len(path)+7:])[0]), " "))
			}
			for i := range got {
				got[i] = strings.TrimSuffix(got[i], ":")
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestFindMisspelled_Environment_NamesSetting(t *testing.T) {
	found := config.FindMisspelled(vars{"DATABSE_ULR": "x", "OPENAI_APIKEY": "secret", "ADDR": "x"}, "")
	require.Len(t, found, 2)
	require.Equal(t, "the environment: DATABSE_ULR is not a setting and has no effect; did you mean DATABASE_URL?",
		found[0].String())
	require.Equal(t, []string{"OPENAI_API_KEY"}, found[1].Settings)
	require.NotContains(t, found[1].String(), "secret")
}

func TestFindMisspelled_UsualEnvironment_NoWarnings(t *testing.T) {
	usual := vars{}
	for name := range strings.FieldsSeq(`PATH HOME USER SHELL TERM LANG LC_ALL PWD OLDPWD HOSTNAME LOGNAME EDITOR PAGER
		MAIL DISPLAY SSH_AUTH_SOCK SSH_AGENT_PID XDG_RUNTIME_DIR XDG_DATA_DIRS TMPDIR TZ SHLVL _ CI DEBUG HOST PORT NODE_ENV
		GOPATH GOROOT GOFLAGS GOPROXY GOGC GOMEMLIMIT GODEBUG HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy no_proxy NO_COLOR
		CLICOLOR COLORTERM TERM_PROGRAM KUBERNETES_SERVICE_HOST KUBERNETES_PORT INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET
		LISTEN_FDS LISTEN_PID MAINPID CREDENTIALS_DIRECTORY STATE_DIRECTORY SUDO_USER SUDO_UID PGHOST PGUSER PGPASSWORD
		PGDATABASE POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB REDIS_URL DB_HOST DB_NAME DB_USER BETTER_AUTH_URL
		SSL_CERT_FILE SSL_CERT_DIR AWS_REGION GITHUB_TOKEN GITHUB_ACTIONS COMPUTERNAME APPDATA USERPROFILE SYSTEMROOT
		OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG OTEL_RESOURCE_ATTRIBUTES OTEL_EXPORTER_OTLP_PROTOCOL
		OTEL_EXPORTER_OTLP_TIMEOUT OTEL_EXPORTER_OTLP_TRACES_HEADERS OTEL_EXPORTER_OTLP_METRICS_ENDPOINT OTEL_PROPAGATORS
		GOOGLE_API_KEY GROQ_API_KEY MISTRAL_API_KEY OPENROUTER_API_KEY XAI_API_KEY OLLAMA_HOST OPENAI_ORG_ID`) {
		usual[name] = "x"
	}
	require.Empty(t, config.FindMisspelled(usual, ""))
}

func TestLoad_MalformedDotenv_NamesLine(t *testing.T) {
	for text, line := range map[string]string{
		"ADDR=:1\nLOG_LEVEL\nLLM_MODEL=x": "line 2",
		"ADDR=:1\nLOG_LEVEL":              "line 2",
		"=x":                              "line 1",
		"# a\r\n\r\nLLM MODEL%=x\r\n":     "line 3",
		"OPENAI_API_KEY=\"a\nb\nADDR=:1":  "line 1",
		"A='1\n2\n3'\nB=\"1\n2\"\nnot a setting\nC=\"x\"": "line 6",
		"\ufeffADDR=\"x\"y": "line 1",
	} {
		path := dotenv(t, text)
		require.Contains(t, loadErrors(t, nil, path)[path].Problem, "malformed at "+line, text)
	}
	path := dotenv(t, "\xff\xfeA\x00=\x001\x00")
	require.Contains(t, loadErrors(t, nil, path)[path].Problem, "UTF-16")
	c, err := config.Load(nil, dotenv(t, "\ufeffADDR=127.0.0.1:7\r\n"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:7", c.Server.Addr)
}
