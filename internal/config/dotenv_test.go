package config

import (
	"maps"
	"slices"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"
)

// scanDotenv must accept what godotenv accepts, with the same names.
func FuzzScanDotenv(f *testing.F) {
	for _, text := range []string{
		"A=1\nB='2\n3'\nexport C=\"x\\\"y\" # z\n", "A: 1", "exportA=1", "export =1", " A = b # c\r\nB=",
		"A='\\'", "A=\"", "é=1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text, problem := decodeDotenv([]byte(text)); problem == "" {
			names, malformed := scanDotenv(text)
			values, err := godotenv.Unmarshal(text)
			if malformed > 0 || err != nil {
				return
			}
			scanned := map[string]bool{}
			for _, n := range names {
				scanned[n.name] = true
			}
			require.ElementsMatch(t, slices.Collect(maps.Keys(values)), slices.Collect(maps.Keys(scanned)))
		}
	})
}
