package stream

// Kind is the kind of an Event.
type Kind string

// The kinds of events. Replicas exchange the values, which must not change.
const (
	// TextAppended carries text of a reply that is being written.
	TextAppended Kind = "delta"
	// RowsChanged announces that rows of the topic have changed and must be read again. With an ID, that reply has
	// finished.
	RowsChanged Kind = "changed"
	// SnapshotRequest requests the text of a reply from its start. The replica that writes the reply publishes it.
	SnapshotRequest Kind = "want"
	// RunQueued announces that a run may be claimed.
	RunQueued Kind = "work"
	// RunCancelled announces that a run must stop.
	RunCancelled Kind = "cancel"
	// AccountDeleted announces that the user who is the event's topic was deleted.
	AccountDeleted Kind = "gone"
	// CredentialRevoked announces that the sign-in session or API token with the event's ID was revoked.
	CredentialRevoked Kind = "revoked"
)

// Event is a notification within a replica and between replicas.
type Event struct {
	Kind Kind `json:"k"`
	// Topic is the ID of a conversation, the ID of a user (tasks), a ConversationListTopic or a
	// ConversationChangesTopic. It is empty for RunQueued, RunCancelled and CredentialRevoked.
	Topic string `json:"t,omitempty"`
	// ID is the ID of a reply (TextAppended, SnapshotRequest), of a finished reply (RowsChanged), of a run
	// (RunCancelled), or of a credential (CredentialRevoked).
	ID string `json:"i,omitempty"`
	// Position is the position of the reply in its conversation.
	Position int `json:"p,omitempty"`
	// Attempt is the number of the run's attempt. The text of one attempt is append-only.
	Attempt int `json:"a,omitempty"`
	// Offset is the position of Text in the reply, in UTF-16 code units.
	Offset int `json:"o,omitempty"`
	// Text is valid UTF-8.
	Text string `json:"x,omitempty"`
}

// Merge returns e with the text of next appended. It returns false unless next continues the text of e and both have at
// most maxBytes.
func (e Event) Merge(next Event, maxBytes int) (Event, bool) {
	if e.Kind != TextAppended || next.Kind != TextAppended || e.ID != next.ID || e.Attempt != next.Attempt ||
		len(e.Text)+len(next.Text) > maxBytes || e.Offset+UTF16Len(e.Text) != next.Offset {
		return Event{}, false
	}
	e.Text += next.Text
	return e, true
}

// ConversationListTopic returns the topic of a user's list of conversations. It changes when a conversation is added,
// deleted or renamed, not with each message.
func ConversationListTopic(userID string) string { return userID + "/conversations" }

// ConversationChangesTopic returns the topic of all changes to a user's conversations, each message included. It is not
// the ConversationListTopic, so that subscribers of the list, and replicas of earlier releases, are not notified of
// each message.
func ConversationChangesTopic(userID string) string { return userID + "/conversation_changes" }
