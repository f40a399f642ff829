package enum

import "io"

// TextSpan is the meaning of a part of a text that was parsed as a task.
type TextSpan string

// Meanings of parts.
const (
	TextLabel       TextSpan = "LABEL"
	TextPriority    TextSpan = "PRIORITY"
	TextDue         TextSpan = "DUE"
	TextDescription TextSpan = "DESCRIPTION"
	TextUncertain   TextSpan = "UNCERTAIN"
)

// Values returns all names, for gqlgen.
func (TextSpan) Values() []string {
	return values(TextLabel, TextPriority, TextDue, TextDescription, TextUncertain)
}

// MarshalGQL implements graphql.Marshaler.
func (v TextSpan) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TextSpan) UnmarshalGQL(in any) error { return unmarshal(in, v) }
