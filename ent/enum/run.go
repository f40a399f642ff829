package enum

import "io"

// RunState is the state of a run. DONE, FAILED and CANCELLED are terminal.
type RunState string

// States of a run.
const (
	RunQueued    RunState = "QUEUED"  // can be claimed once it is available and first in its conversation
	RunRunning   RunState = "RUNNING" // a replica holds its lease
	RunDone      RunState = "DONE"
	RunFailed    RunState = "FAILED" // retries are exhausted or useless
	RunCancelled RunState = "CANCELLED"
)

// Values returns all names, for Ent and gqlgen.
func (RunState) Values() []string {
	return values(RunQueued, RunRunning, RunDone, RunFailed, RunCancelled)
}

// MarshalGQL implements graphql.Marshaler.
func (v RunState) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *RunState) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// ToolCallStatus is the state of a tool call. SUCCEEDED and FAILED are terminal.
type ToolCallStatus string

// States of a tool call.
const (
	ToolCallStarted   ToolCallStatus = "STARTED"           // requested by the model
	ToolCallAwaiting  ToolCallStatus = "AWAITING_APPROVAL" // has had no effect; the user decides
	ToolCallSucceeded ToolCallStatus = "SUCCEEDED"         // effect and result are committed together
	ToolCallFailed    ToolCallStatus = "FAILED"            // rejected or abandoned; it had no effect
)

// Values returns all names, for Ent and gqlgen.
func (ToolCallStatus) Values() []string {
	return values(ToolCallStarted, ToolCallAwaiting, ToolCallSucceeded, ToolCallFailed)
}

// MarshalGQL implements graphql.Marshaler.
func (v ToolCallStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *ToolCallStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }
