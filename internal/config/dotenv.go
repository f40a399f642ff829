package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"unicode"

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
	text, problem := decodeDotenv(content)
	if problem != "" {
		errs.add(path, problem, "a text file in UTF-8")
		return nil
	}
	_, malformed := scanDotenv(text)
	values, err := godotenv.Unmarshal(text)
	if err != nil || malformed > 0 {
		// The parser's message is dropped, because it quotes the file, which contains secrets.
		problem := "is malformed"
		if malformed > 0 {
			problem = fmt.Sprintf("is malformed at line %d", malformed)
		}
		errs.add(path, problem, allowedDotenv)
		return nil
	}
	return values
}

// decodeDotenv returns the text of a .env file without a byte order mark, or what is wrong with its encoding.
func decodeDotenv(content []byte) (text, problem string) {
	switch {
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		return "", "is encoded in UTF-16, as Windows PowerShell writes files"
	case bytes.IndexByte(content, 0) >= 0:
		return "", "contains a NUL byte"
	}
	return strings.TrimPrefix(string(content), "\ufeff"), ""
}

// dotenvName is a variable in a .env file.
type dotenvName struct {
	name string
	line int // from 1
}

// scanDotenv returns the variables of a .env file in order, and the line of the first statement that is malformed, 0 if
// there is none. It finds the same statements as godotenv, which does not tell their lines.
func scanDotenv(text string) (names []dotenvName, malformed int) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	rest := text
	line := func() int { return 1 + strings.Count(text[:len(text)-len(rest)], "\n") }
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return names, 0
		}
		if rest[0] == '#' {
			rest = afterLine(rest)
			continue
		}
		start := line()
		if after, found := strings.CutPrefix(rest, "export"); found && strings.IndexFunc(after, isBlank) == 0 {
			rest = strings.TrimLeftFunc(after, isBlank)
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !isNamePart(r) && !isBlank(r) })
		if end < 0 || rest[end] != '=' && rest[end] != ':' {
			return names, start
		}
		name := strings.TrimRightFunc(rest[:end], unicode.IsSpace)
		if name == "" {
			return names, start
		}
		names = append(names, dotenvName{name: name, line: start})
		rest = strings.TrimLeftFunc(rest[end+1:], isBlank)
		if rest == "" || rest[0] != '\'' && rest[0] != '"' {
			rest = afterLine(rest)
			continue
		}
		if end = closingQuote(rest); end < 0 {
			return names, start
		}
		rest = rest[end+1:]
	}
}

// afterLine returns the text from the end of its first line.
func afterLine(text string) string {
	end := strings.IndexAny(text, "\r\n")
	if end < 0 {
		return ""
	}
	return text[end:]
}

// closingQuote returns the index of the quote that ends the quoted value at the beginning of the text, -1 if there is
// none.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == text[0] && text[i-1] != '\\' {
			return i
		}
	}
	return -1
}

// isBlank reports whether r is a space, but not a line break.
func isBlank(r rune) bool { return r != '\n' && unicode.IsSpace(r) }

func isNamePart(r rune) bool {
	return r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsNumber(r)
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
