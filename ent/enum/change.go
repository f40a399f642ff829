package enum

import "io"

// ChangeKind is the kind of a change to a task.
type ChangeKind string

// Kinds of changes.
const (
	ChangeCreated   ChangeKind = "CREATED"
	ChangeUpdated   ChangeKind = "UPDATED" // fields were changed
	ChangeCompleted ChangeKind = "COMPLETED"
	ChangeReopened  ChangeKind = "REOPENED"
	ChangeDeleted   ChangeKind = "DELETED" // moved to the trash
	ChangeRestored  ChangeKind = "RESTORED"
)

// Values returns all names, for Ent and gqlgen.
func (ChangeKind) Values() []string {
	return values(ChangeCreated, ChangeUpdated, ChangeCompleted, ChangeReopened, ChangeDeleted, ChangeRestored)
}

// MarshalGQL implements graphql.Marshaler.
func (v ChangeKind) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *ChangeKind) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// ActorKind is who made a change. Its values equal those of viewer.Kind.
type ActorKind string

// Kinds of actors.
const (
	ActorPerson ActorKind = "PERSON" // the user, through the API
	ActorAgent  ActorKind = "AGENT"  // the agent, by a tool call
	ActorMCP    ActorKind = "MCP"    // another program, over the Model Context Protocol
)

// Values returns all names, for Ent and gqlgen.
func (ActorKind) Values() []string { return values(ActorPerson, ActorAgent, ActorMCP) }

// MarshalGQL implements graphql.Marshaler.
func (v ActorKind) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *ActorKind) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// FieldChange is the value of one field of a task before and after a change. Values are in the form that users
// read: a title, "HIGH", "2026-11-25", "true". Nil means that the field is empty.
type FieldChange struct {
	Name string  `json:"name"`
	From *string `json:"from"`
	To   *string `json:"to"`
	// FromLabels and ToLabels are the values of the field "labels", whose texts From and To do not tell one label with
	// a comma from two labels. Earlier releases stored neither; both are nil for other fields.
	FromLabels []string `json:"fromLabels,omitempty"`
	ToLabels   []string `json:"toLabels,omitempty"`
}
