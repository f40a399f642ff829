package agent

import "strings"

// stripInvisible removes characters that are invisible to people but read by models: they can hide injected
// instructions or make text look different. Marks that scripts need (joiners, left-to-right and
// right-to-left marks) stay.
func stripInvisible(s string) string { return strings.Map(dropInvisible, s) }

func dropInvisible(r rune) rune {
	switch {
	case r < 0xAD:
		return r
	case r == 0xAD, r == 0x034F, r == 0x180E, // soft hyphen, grapheme joiner, Mongolian separator
		r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0, // Hangul fillers
		r == 0x200B, r == 0xFEFF, r >= 0x2060 && r <= 0x2064, // zero width
		r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x206F, // text direction
		r >= 0xFE00 && r <= 0xFE0E, r >= 0xE0100 && r <= 0xE01EF, // variants, which can carry bytes
		r >= 0xFFF9 && r <= 0xFFFB, r >= 0xE0000 && r <= 0xE007F: // annotations, tags
		return -1
	}
	return r
}
