// Package truncate shortens texts without breaking a character.
package truncate

import (
	"strings"
	"unicode/utf8"
)

// Bytes returns at most limit bytes of s. A character that limit would split is left out, as
// are bytes that are not UTF-8. limit must not be negative.
func Bytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

// Runes returns at most limit Unicode code points of s. limit must not be negative.
func Runes(s string, limit int) string {
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}

// Ellipsis returns s when it has at most limit code points; otherwise its beginning and "…",
// limit code points in all. limit must be positive.
func Ellipsis(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return Runes(s, limit-1) + "…"
}
