package enum

import "io"

// ApprovalMode is when changes by a tool need the user's approval.
type ApprovalMode string

// The modes.
const (
	ApprovalDefault ApprovalMode = "DEFAULT" // as the rules of internal/tool say
	ApprovalAuto    ApprovalMode = "AUTO"    // never asks
	ApprovalAsk     ApprovalMode = "ASK"     // asks before every change of an existing task
	ApprovalNever   ApprovalMode = "NEVER"   // the tool is refused
)

// Values returns all names, for Ent and gqlgen.
func (ApprovalMode) Values() []string {
	return values(ApprovalDefault, ApprovalAuto, ApprovalAsk, ApprovalNever)
}

// MarshalGQL implements graphql.Marshaler.
func (v ApprovalMode) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *ApprovalMode) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// ApprovalPolicy holds the modes that a user chose, by the name of the tool. Other tools have ApprovalDefault.
type ApprovalPolicy map[string]ApprovalMode

// Mode returns the mode of a tool.
func (p ApprovalPolicy) Mode(tool string) ApprovalMode {
	if mode, ok := p[tool]; ok {
		return mode
	}
	return ApprovalDefault
}

// ToolApproval is the mode of one tool.
type ToolApproval struct {
	Tool string
	Mode ApprovalMode
}

// ProposedChange is a change of one task that a tool call would make, as it is shown to the user for approval.
type ProposedChange struct {
	TaskID string `json:"taskId"`
	// Number and Title are those of the task before the change.
	Number int    `json:"number"`
	Title  string `json:"title"`
	// Version is the task's version before the change, 0 if the change creates the task.
	Version int           `json:"version"`
	Kind    ChangeKind    `json:"kind"`
	Fields  []FieldChange `json:"fields"`
	// Undoes is the change that this change takes back, "" for none.
	Undoes string `json:"undoes,omitempty"`
}
