package stream

import "unicode/utf16"

// UTF16Len returns the length of s in UTF-16 code units, the length of a JavaScript string.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// UTF16Suffix returns the part of s that starts at an offset in UTF-16 code units. ok is false if the offset is
// beyond the end of s or inside a character.
func UTF16Suffix(s string, offset int) (suffix string, ok bool) {
	n := 0
	for i, r := range s {
		if n == offset {
			return s[i:], true
		}
		if n > offset {
			return "", false
		}
		n += utf16.RuneLen(r)
	}
	return "", n == offset
}

// utf16Prefix returns the part of s before an offset in UTF-16 code units. A character that contains the offset belongs
// to the prefix: text is split between characters only.
func utf16Prefix(s string, offset int) string {
	n := 0
	for i, r := range s {
		if n >= offset {
			return s[:i]
		}
		n += utf16.RuneLen(r)
	}
	return s
}
