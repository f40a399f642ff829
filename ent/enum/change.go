package enum

import "io"

// ChangeKind says what happened to a task.
type ChangeKind string

// The values of ChangeKind.
const (
	// ChangeCreated means: it came to be.
	ChangeCreated ChangeKind = "CREATED"
	// ChangeUpdated means: fields changed.
	ChangeUpdated ChangeKind = "UPDATED"
	// ChangeCompleted means: it was marked as done.
	ChangeCompleted ChangeKind = "COMPLETED"
	// ChangeReopened means: it was marked as not done.
	ChangeReopened ChangeKind = "REOPENED"
	// ChangeDeleted means: it went to the trash.
	ChangeDeleted ChangeKind = "DELETED"
	// ChangeRestored means: it came back from the trash.
	ChangeRestored ChangeKind = "RESTORED"
)

// Values lists the names, for Ent and GraphQL.
func (ChangeKind) Values() []string {
	return names(ChangeCreated, ChangeUpdated, ChangeCompleted, ChangeReopened, ChangeDeleted, ChangeRestored)
}

// MarshalGQL writes the name.
func (v ChangeKind) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *ChangeKind) UnmarshalGQL(in any) error { return unmarshal(in, v) }
