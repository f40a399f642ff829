// Package stream carries what happens to those who watch, on this replica and on
// the others. Events are hints with a place: whoever misses one, or receives one
// twice, is set right by the stored row.
package stream

// Kind says what an Event is about.
type Kind string

// The kinds of events.
const (
	// TextAppended is text of a reply that is being written.
	TextAppended Kind = "delta"
	// RowsChanged says that rows of the topic have changed: read them again. With an ID
	// it also says that this reply has finished.
	RowsChanged Kind = "changed"
	// SnapshotRequest asks whoever writes the reply to publish its text from the start.
	SnapshotRequest Kind = "want"
	// RunQueued says that a run may be claimed.
	RunQueued Kind = "work"
	// RunCancelled says that a run shall stop.
	RunCancelled Kind = "cancel"
	// AccountDeleted says that the account of the topic, a user, was deleted.
	AccountDeleted Kind = "gone"
)

// Event is what travels between replicas.
type Event struct {
	Kind Kind `json:"k"`
	// Topic is a conversation's id, a user's for tasks, or ConversationsOf a user; "" for Work and Cancel.
	Topic string `json:"t,omitempty"`
	// ID is the reply of a Delta or Want, the run of a Cancel, the finished reply of a Changed.
	ID string `json:"i,omitempty"`
	// Position is the reply's place in its conversation.
	Position int `json:"p,omitempty"`
	// Attempt is the epoch of the text: within one it only grows.
	Attempt int `json:"a,omitempty"`
	// Offset is where Text belongs, in UTF-16 code units.
	Offset int `json:"o,omitempty"`
	// Text is valid UTF-8.
	Text string `json:"x,omitempty"`
}

// ConversationListTopic is the topic of a person's list of conversations: it changes when one comes, goes or
// gets another title, not with each message.
func ConversationListTopic(userID string) string { return userID + "/conversations" }

// UTF16Len is the length of s in UTF-16 code units, as JavaScript strings count.
func UTF16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// UTF16Suffix is the part of s that begins at a UTF-16 offset. ok is false when the
// offset lies beyond the end or inside a character.
func UTF16Suffix(s string, offset int) (rest string, ok bool) {
	n := 0
	for i, r := range s {
		if n == offset {
			return s[i:], true
		}
		if n > offset {
			return "", false
		}
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return "", n == offset
}

// utf16Prefix is the part of s before a UTF-16 offset. A character that the offset lies
// inside of belongs to it: a text is only ever parted between characters.
func utf16Prefix(s string, units int) string {
	n := 0
	for i, r := range s {
		if n >= units {
			return s[:i]
		}
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return s
}
