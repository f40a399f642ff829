package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository's folder, from here.
const root = "../.."

// stage is a stage of the Dockerfile.
type stage struct {
	base, name   string
	instructions []instruction
}

// instruction is a line of the Dockerfile, with its continuation lines.
type instruction struct {
	name  string // in upper case, such as COPY
	flags []string
	args  string
}

// readDockerfile returns the stages of the Dockerfile, and the default values of the arguments before the first.
func readDockerfile(t *testing.T) (stages []stage, globals map[string]string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	require.NoError(t, err)
	globals = map[string]string{}
	var text strings.Builder // of the instruction
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if begin, continues := strings.CutSuffix(line, `\`); continues {
			text.WriteString(begin)
			continue
		}
		text.WriteString(line)
		i := parseInstruction(text.String())
		text.Reset()
		switch {
		case i.name == "FROM":
			base, name, _ := strings.Cut(i.args, " AS ")
			stages = append(stages, stage{base: expand(base, globals), name: name})
		case len(stages) == 0:
			require.Equal(t, "ARG", i.name)
			name, value, _ := strings.Cut(i.args, "=")
			globals[name] = value
		default:
			last := &stages[len(stages)-1]
			last.instructions = append(last.instructions, i)
		}
	}
	require.Empty(t, text.String())
	require.NotEmpty(t, stages)
	return stages, globals
}

func parseInstruction(line string) instruction {
	name, rest, _ := strings.Cut(line, " ")
	i := instruction{name: strings.ToUpper(name)}
	for rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "--"); rest = strings.TrimSpace(rest) {
		var flag string
		flag, rest, _ = strings.Cut(rest, " ")
		i.flags = append(i.flags, flag)
	}
	i.args = rest
	return i
}

func expand(text string, values map[string]string) string {
	return os.Expand(text, func(name string) string { return values[name] })
}

// all returns the arguments of the instructions of a name.
func (s stage) all(name string) (args []string) {
	for _, i := range s.instructions {
		if i.name == name {
			args = append(args, i.args)
		}
	}
	return args
}

// only returns the arguments of the only instruction of a name.
func (s stage) only(t *testing.T, name string) string {
	t.Helper()
	args := s.all(name)
	require.Len(t, args, 1, name)
	return args[0]
}

// command returns the words of a command in exec form: an image without a shell has no other.
func command(t *testing.T, text string) (words []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &words), "%s is not in exec form", text)
	return words
}

// environment returns the variables of the ENV instructions.
func (s stage) environment() map[string]string {
	values := map[string]string{}
	for _, args := range s.all("ENV") {
		for _, pair := range strings.Fields(args) {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
	}
	return values
}

// flag returns the value of a flag such as "--from=".
func (i instruction) flag(prefix string) string {
	for _, f := range i.flags {
		if value, ok := strings.CutPrefix(f, prefix); ok {
			return value
		}
	}
	return ""
}

// copyContext copies the files of the repository that .dockerignore lets into the build.
func copyContext(t *testing.T, to string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	allowed := regexp.MustCompile(`^!([\w./-]+)$`)
	var excluded []string // patterns of names
	rest := ""
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		switch match := allowed.FindStringSubmatch(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case rest == "":
			require.Equal(t, "*", line, ".dockerignore excludes everything first")
			rest = "*"
		case match != nil:
			require.Empty(t, excluded, "a later ! would include what is excluded again")
			copyTree(t, filepath.Join(root, match[1]), filepath.Join(to, match[1]))
		default:
			name, ok := strings.CutPrefix(line, "**/")
			require.True(t, ok, ".dockerignore: the test does not know patterns such as %s", line)
			excluded = append(excluded, name)
		}
	}
	require.NotEmpty(t, excluded)
	require.NoError(t, filepath.WalkDir(to, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, pattern := range excluded {
			if matched, _ := filepath.Match(pattern, entry.Name()); matched {
				require.NoError(t, os.RemoveAll(path))
				if entry.IsDir() {
					return filepath.SkipDir
				}
			}
		}
		return nil
	}))
}

// copyTree copies a file or folder, without node_modules, which are large and excluded in any case.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		require.NoError(t, err)
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir() && entry.Name() == "node_modules":
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o750)
		case !entry.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o750))
		return os.WriteFile(target, content, 0o600)
	}))
}
