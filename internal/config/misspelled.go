package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"errand/internal/editdist"
)

// Misspelled is a variable that is not a setting, but has almost the name of one.
type Misspelled struct {
	// Name is the name of the variable, and Settings are the settings that may be meant.
	Name     string
	Settings []string
	// File and Line are the place of the variable in the .env file; "" and 0 if it is in the process environment.
	File string
	Line int
}

// String returns a sentence for the user.
func (m Misspelled) String() string {
	place := "the environment"
	if m.File != "" {
		place = fmt.Sprintf("%s, line %d", m.File, m.Line)
	}
	return fmt.Sprintf("%s: %s is not a setting and has no effect; did you mean %s?", place, m.Name,
		strings.Join(m.Settings, " or "))
}

// FindMisspelled returns the variables of the .env file, in its order, and then those of the environment, by name, that
// are not settings but at most two letters from one (a single letter for short names), or differ in case only.
func FindMisspelled(environ map[string]string, dotenvPath string) []Misspelled {
	known := settingNames()
	var found []Misspelled
	add := func(m Misspelled) {
		if slices.Contains(known, m.Name) {
			return
		}
		upper := strings.ReplaceAll(strings.ToUpper(m.Name), "-", "_")
		if m.Settings = editdist.Closest(upper, known); len(m.Settings) > 0 {
			found = append(found, m)
		}
	}
	if content, err := os.ReadFile(dotenvPath); dotenvPath != "" && err == nil {
		text, _ := decodeDotenv(content)
		names, _ := scanDotenv(text)
		for _, n := range names {
			add(Misspelled{Name: n.name, File: dotenvPath, Line: n.line})
		}
	}
	names := make([]string, 0, len(environ))
	for name := range environ {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		add(Misspelled{Name: name})
	}
	return found
}

// settingNames returns the names of all variables that the program reads.
func settingNames() []string {
	names := []string{"ERRAND_TOKEN"} // of "errand mcp"
	for _, name := range variableNames(reflect.TypeFor[Config]()) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
