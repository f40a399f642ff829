package enum

import "io"

// MessageStatus is how far a message has come. Once terminal it never changes.
type MessageStatus string

// The values of MessageStatus.
const (
	// MessagePending means: waits for its turn.
	MessagePending MessageStatus = "PENDING"
	// MessageStreaming means: is being written.
	MessageStreaming MessageStatus = "STREAMING"
	// MessageCompleted means: complete; its content is final.
	MessageCompleted MessageStatus = "COMPLETED"
	// MessageFailed means: ended by an error; its content is what was written before.
	MessageFailed MessageStatus = "FAILED"
	// MessageCancelled means: stopped by its person; its content is what was written before.
	MessageCancelled MessageStatus = "CANCELLED"
)

// Values lists the names, for Ent and GraphQL.
func (MessageStatus) Values() []string {
	return names(MessagePending, MessageStreaming, MessageCompleted, MessageFailed, MessageCancelled)
}

// MarshalGQL writes the name.
func (v MessageStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL reads a name and refuses unknown ones.
func (v *MessageStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Terminal reports whether the message can no longer change.
func (v MessageStatus) Terminal() bool {
	return v == MessageCompleted || v == MessageFailed || v == MessageCancelled
}
