package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

const allowedDotenv = "lines of NAME=value; put a value with spaces, # or $ in single quotes"

// parseDotenvFile returns what the file sets; a file that is not there sets nothing.
func parseDotenvFile(path string, f *Errors) map[string]string {
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		f.add(path, "cannot be read", "a readable text file, or none")
		return nil
	}
	values, err := godotenv.UnmarshalBytes(content)
	if err != nil {
		// The parser's own message quotes the file, and with it secrets.
		problem := fmt.Sprintf("is malformed at line %d", malformedLine(string(content)))
		f.add(path, problem, allowedDotenv)
		return nil
	}
	return values
}

// malformedLine is the line (from 1) after the longest beginning that still parses.
func malformedLine(content string) int {
	lines := strings.Split(content, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "\n")); err == nil {
			return n + 1
		}
	}
	return 1
}

// merge lays the real environment over the file. A variable that ends up empty
// counts as unset, so that "NAME=" in either place means the default.
func merge(environ, file map[string]string) map[string]string {
	merged := make(map[string]string, len(environ)+len(file))
	maps.Copy(merged, file)
	maps.Copy(merged, environ)
	for name, value := range merged {
		merged[name] = strings.TrimSpace(value)
	}
	maps.DeleteFunc(merged, func(_, value string) bool { return value == "" })
	return merged
}

func pairsToMap(pairs []string) map[string]string {
	m := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}
