package enum

import "io"

// RunState is the state of a turn's run. Done, failed and cancelled are terminal.
type RunState string

// The values of RunState.
const (
	// RunQueued means: may be claimed once available and first in its conversation.
	RunQueued RunState = "QUEUED"
	// RunRunning means: held by a replica under a lease.
	RunRunning RunState = "RUNNING"
	// RunDone means: answered.
	RunDone RunState = "DONE"
	// RunFailed means: given up.
	RunFailed RunState = "FAILED"
	// RunCancelled means: stopped by its person.
	RunCancelled RunState = "CANCELLED"
)

// Values lists the names, for Ent and GraphQL.
func (RunState) Values() []string {
	return names(RunQueued, RunRunning, RunDone, RunFailed, RunCancelled)
}

// MarshalGQL writes the name.
func (v RunState) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *RunState) UnmarshalGQL(in any) error { return unmarshal(in, v) }
