package server

import (
	"errand/ent/enum"
	"errand/internal/run"
	"errand/internal/stream"
)

// publisher publishes changes to the subscribers and run engines of all replicas. Events may be lost: subscribers read
// the rows again and engines poll. It implements run.Notifier.
type publisher struct{ hub *stream.Hub }

// tasksChanged notifies the subscribers of a user's tasks on all replicas.
func (p publisher) tasksChanged(userID string) {
	p.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: userID})
}

// replyFinished notifies the subscribers of a conversation, and of the list of conversations, that a reply is terminal.
// Its row is committed.
func (p publisher) replyFinished(job run.Job, _ enum.MessageStatus) {
	p.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: job.ConversationID, ID: job.MessageID})
	p.hub.PublishConversationChange(job.UserID, false)
}

// accountDeleted ends the streams and connections of a deleted account on all replicas.
func (p publisher) accountDeleted(userID string, conversationIDs []string) {
	for _, id := range conversationIDs {
		p.hub.Publish(stream.Event{Kind: stream.RowsChanged, Topic: id})
	}
	p.hub.PublishConversationChange(userID, false)
	p.hub.Publish(stream.Event{Kind: stream.AccountDeleted, Topic: userID})
}

// NotifyQueued implements run.Notifier.
func (p publisher) NotifyQueued() { p.hub.Publish(stream.Event{Kind: stream.RunQueued}) }

// NotifyCancelled implements run.Notifier.
func (p publisher) NotifyCancelled(runID string) {
	p.hub.Publish(stream.Event{Kind: stream.RunCancelled, ID: runID})
}
