package mcp

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"errand/ent/enum"
	"errand/internal/stream"
	"errand/internal/viewer"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxSubscribedResources is the largest number of resources of one subscription.
const maxSubscribedResources = 100

// subscriber sends change notifications to one client, over an SDK server of its own.
type subscriber struct {
	owner  *Server
	server *sdk.Server
	// ctx ends with the token, the client or the replica. Its viewer is the user.
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup

	mu            sync.Mutex
	conversations map[string]context.CancelFunc // watched conversations by URI
	listParts     map[string]bool               // parts of the open list, by URI
}

// newSubscriber returns a subscriber that follows the viewer's tasks and list of conversations, as far as the token's
// scopes allow. Changes that commit after it returns are notified. The caller must call close.
func (s *Server) newSubscriber(ctx context.Context) (*subscriber, error) {
	v, err := viewer.Require(ctx)
	if err != nil {
		return nil, err
	}
	l := &subscriber{owner: s, conversations: map[string]context.CancelFunc{}, listParts: map[string]bool{}}
	if l.ctx, l.end = context.WithCancel(ctx); !v.Expires.IsZero() {
		l.ctx, l.end = context.WithDeadline(ctx, v.Expires)
	}
	l.server = s.newSDKServer(l)
	if v.Scopes.Allow(viewer.TasksRead) {
		if err := l.followTasks(v.UserID); err != nil {
			l.end()
			return nil, err
		}
	}
	if v.Scopes.Allow(viewer.Chat) {
		list := s.o.Hub.Subscribe(stream.ConversationListTopic(v.UserID))
		l.running.Go(func() { l.watch(l.ctx, list, l.notifyListChanged) })
	}
	return l, nil
}

// followTasks notifies the changes to the user's tasks.
func (l *subscriber) followTasks(userID string) error {
	follower, err := stream.OpenTaskStream(l.ctx, l.owner.o.Hub, userID, nil, l.owner.o.Tasks)
	if err != nil {
		return err
	}
	l.running.Go(func() {
		defer l.end()
		// When the stream ends, the client reconnects and reads again.
		_ = stream.Run(l.ctx, follower, func(e *stream.TaskEvent) bool { l.taskChanged(e); return true })
	})
	return nil
}

// close ends the subscriber and waits for its goroutines.
func (l *subscriber) close() {
	l.end()
	l.running.Wait()
}

// taskChanged notifies every URI of the task.
func (l *subscriber) taskChanged(e *stream.TaskEvent) {
	for _, uri := range append(l.listURIs(), taskURIOf(strconv.Itoa(e.Task.Number)), taskURIOf(e.Task.ID), openTasksURI) {
		l.notifyUpdated(uri)
	}
	switch e.Kind {
	case enum.ChangeCreated, enum.ChangeCompleted, enum.ChangeReopened, enum.ChangeDeleted, enum.ChangeRestored:
		l.notifyListChanged()
	}
}

// notifyListChanged notifies a changed list of resources: the SDK does so when an existing one is added again.
func (l *subscriber) notifyListChanged() { l.server.AddResource(openTasksResource(), l.owner.read) }

// listURIs returns the subscribed parts of the open list.
func (l *subscriber) listURIs() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.listParts))
}

func (l *subscriber) notifyUpdated(uri string) {
	// An error means that the client has disconnected; its session ends by itself.
	_ = l.server.ResourceUpdated(l.ctx, &sdk.ResourceUpdatedNotificationParams{URI: uri})
}

// subscribe implements the SDK's SubscribeHandler for existing resources. Tasks are always followed.
func (l *subscriber) subscribe(_ context.Context, req *sdk.SubscribeRequest) error {
	uri := req.Params.URI
	p, ok := parseURI(uri)
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok && len(p.query) > 0 && p.kind == "tasks" && len(l.listParts) < maxSubscribedResources {
		l.listParts[uri] = true
	}
	if !ok || p.kind != "conversations" || l.conversations[uri] != nil || len(l.conversations) >= maxSubscribedResources {
		return nil
	}
	ctx, cancel := context.WithCancel(l.ctx)
	l.conversations[uri] = cancel
	sub := l.owner.o.Hub.Subscribe(p.name)
	l.running.Go(func() { l.watch(ctx, sub, func() { l.notifyUpdated(uri) }) })
	return nil
}

// unsubscribe implements the SDK's UnsubscribeHandler.
func (l *subscriber) unsubscribe(_ context.Context, req *sdk.UnsubscribeRequest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.listParts, req.Params.URI)
	if cancel := l.conversations[req.Params.URI]; cancel != nil {
		cancel()
		delete(l.conversations, req.Params.URI)
	}
	return nil
}

// watch calls notify when the topic of sub has changed. For a conversation that is each new or finished message,
// not each delta.
func (l *subscriber) watch(ctx context.Context, sub *stream.Subscription, notify func()) {
	defer sub.Close()
	for {
		batch, err := sub.Next(ctx)
		if err != nil || batch.Ended {
			return
		}
		for _, e := range batch.Events {
			if e.Kind == stream.RowsChanged {
				batch.Behind = true
			}
		}
		if batch.Behind {
			notify()
		}
	}
}
