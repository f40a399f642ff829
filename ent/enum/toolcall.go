package enum

import "io"

// ToolCallStatus is how far a tool call has come.
type ToolCallStatus string

// The values of ToolCallStatus.
const (
	// ToolCallStarted means: asked for by the model, not yet done.
	ToolCallStarted ToolCallStatus = "STARTED"
	// ToolCallSucceeded means: done; its effect and result are committed together.
	ToolCallSucceeded ToolCallStatus = "SUCCEEDED"
	// ToolCallFailed means: refused or closed without any effect.
	ToolCallFailed ToolCallStatus = "FAILED"
)

// Values lists the names, for Ent and GraphQL.
func (ToolCallStatus) Values() []string {
	return names(ToolCallStarted, ToolCallSucceeded, ToolCallFailed)
}

// MarshalGQL writes the name.
func (v ToolCallStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *ToolCallStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }
