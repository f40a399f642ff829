package enum

import "io"

// TitleSource is who set the title of a conversation.
type TitleSource string

// Sources of titles.
const (
	TitleAuto   TitleSource = "AUTO"   // taken from the first message or from a model
	TitlePerson TitleSource = "PERSON" // set by the user; never replaced
)

// Values returns all names, for Ent and gqlgen.
func (TitleSource) Values() []string { return values(TitleAuto, TitlePerson) }

// MarshalGQL implements graphql.Marshaler.
func (v TitleSource) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *TitleSource) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Role is the author of a message.
type Role string

// Roles.
const (
	RoleUser      Role = "USER"
	RoleAssistant Role = "ASSISTANT"
)

// Values returns all names, for Ent and gqlgen.
func (Role) Values() []string { return values(RoleUser, RoleAssistant) }

// MarshalGQL implements graphql.Marshaler.
func (v Role) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *Role) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// MessageStatus is the state of a message. COMPLETED, FAILED and CANCELLED are terminal.
type MessageStatus string

// States of a message.
const (
	MessagePending   MessageStatus = "PENDING"   // waits for earlier turns or a free worker
	MessageStreaming MessageStatus = "STREAMING" // is being written
	MessageCompleted MessageStatus = "COMPLETED" // the content is final
	MessageFailed    MessageStatus = "FAILED"    // the content is the text written before the error
	MessageCancelled MessageStatus = "CANCELLED" // the content is the text written before the user cancelled
)

// Values returns all names, for Ent and gqlgen.
func (MessageStatus) Values() []string {
	return values(MessagePending, MessageStreaming, MessageCompleted, MessageFailed, MessageCancelled)
}

// MarshalGQL implements graphql.Marshaler.
func (v MessageStatus) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *MessageStatus) UnmarshalGQL(in any) error { return unmarshal(in, v) }

// Terminal reports whether the message can no longer change.
func (v MessageStatus) Terminal() bool {
	return v == MessageCompleted || v == MessageFailed || v == MessageCancelled
}
