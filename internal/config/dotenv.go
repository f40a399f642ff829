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

const allowedDotenv = "lines of NAME=value, with values that contain spaces, # or $ in single quotes"

// parseDotenvFile returns the variables of the file, none when the file does not exist.
func parseDotenvFile(path string, errs *Errors) map[string]string {
	if path == "" {
		return nil
	}
	content, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		errs.add(path, "cannot be read", "a readable text file, or no file")
		return nil
	}
	values, err := godotenv.UnmarshalBytes(content)
	if err != nil {
		// The parser's message is dropped, because it quotes the file, which contains secrets.
		problem := fmt.Sprintf("is malformed at line %d", malformedLine(string(content)))
		errs.add(path, problem, allowedDotenv)
		return nil
	}
	return values
}

// malformedLine returns the number (from 1) of the line after the longest prefix that parses.
func malformedLine(content string) int {
	lines := strings.Split(content, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n], "\n")); err == nil {
			return n + 1
		}
	}
	return 1
}

// merge overrides the file's variables by those of the process environment. A variable that is empty afterwards
// is removed, so that "NAME=" in either place means the default.
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
