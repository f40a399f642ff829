package enum

import "io"

// ActorKind says whose hand made a change. Its values equal viewer.Kind's.
type ActorKind string

// The values of ActorKind.
const (
	// ActorPerson means: a person, through the API.
	ActorPerson ActorKind = "PERSON"
	// ActorAgent means: the agent, by a tool call.
	ActorAgent ActorKind = "AGENT"
	// ActorMCP means: another assistant, over the Model Context Protocol.
	ActorMCP ActorKind = "MCP"
)

// Values lists the names, for Ent and GraphQL.
func (ActorKind) Values() []string {
	return names(ActorPerson, ActorAgent, ActorMCP)
}

// MarshalGQL writes the name.
func (v ActorKind) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *ActorKind) UnmarshalGQL(in any) error { return unmarshal(in, v) }
