package stream

import "errand/ent"

// MessageEvent is what a subscriber of a conversation receives.
type MessageEvent interface{ IsMessageEvent() }

// MessageAdded announces a message, with the text so far.
type MessageAdded struct {
	Cursor  string
	Message *ent.Message
}

// MessageDelta is text of a reply: content = content[0:Offset] + Text.
type MessageDelta struct {
	Cursor    string
	MessageID string
	// Offset counts UTF-16 code units.
	Offset int
	Text   string
}

// ToolCallChanged says that a tool call started, succeeded or failed.
type ToolCallChanged struct {
	Cursor    string
	MessageID string
	ToolCall  *ent.ToolCall
}

// MessageFinished says that a reply is terminal.
type MessageFinished struct {
	Cursor  string
	Message *ent.Message
}

// IsMessageEvent marks the type.
func (*MessageAdded) IsMessageEvent() {}

// IsMessageEvent marks the type.
func (*MessageDelta) IsMessageEvent() {}

// IsMessageEvent marks the type.
func (*ToolCallChanged) IsMessageEvent() {}

// IsMessageEvent marks the type.
func (*MessageFinished) IsMessageEvent() {}
