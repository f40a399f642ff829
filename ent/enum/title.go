package enum

import "io"

// TitleSource says who named a conversation.
type TitleSource string

// The values of TitleSource.
const (
	// TitleAuto means: named from its first message.
	TitleAuto TitleSource = "AUTO"
	// TitlePerson means: named by its person, never overwritten.
	TitlePerson TitleSource = "PERSON"
)

// Values lists the names, for Ent and GraphQL.
func (TitleSource) Values() []string {
	return names(TitleAuto, TitlePerson)
}

// MarshalGQL writes the name.
func (v TitleSource) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *TitleSource) UnmarshalGQL(in any) error { return unmarshal(in, v) }
