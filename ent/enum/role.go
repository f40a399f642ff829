package enum

import "io"

// Role says who wrote a message.
type Role string

// The values of Role.
const (
	// RoleUser means: written by the person.
	RoleUser Role = "USER"
	// RoleAssistant means: written by the agent.
	RoleAssistant Role = "ASSISTANT"
)

// Values lists the names, for Ent and GraphQL.
func (Role) Values() []string {
	return names(RoleUser, RoleAssistant)
}

// MarshalGQL writes the name.
func (v Role) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *Role) UnmarshalGQL(in any) error { return unmarshal(in, v) }
