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

// maxWatched is how many resources one subscription may name.
const maxWatched = 100

// live tells one person's client, over an SDK server that is its alone, what changes.
type live struct {
	s      *Server
	server *sdk.Server
	// ctx ends all that the live does: with the token, with the client, or when this
	// replica goes away. The person is its viewer.
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	watching map[string]context.CancelFunc // conversations, by URI
	lists    map[string]bool               // parts of the open list, by URI
}

// newLive makes a live that follows the caller's tasks and list of conversations: whatever commits
// from now on is told to whom it may concern. Close it.
func (s *Server) newLive(ctx context.Context, caller Caller) (*live, error) {
	l := &live{s: s, watching: map[string]context.CancelFunc{}, lists: map[string]bool{}}
	ctx = viewer.NewContext(ctx, viewer.Viewer{UserID: caller.UserID, Actor: viewer.ActorMCP})
	l.ctx, l.end = context.WithDeadline(ctx, caller.Expires)
	l.server = s.build(l)
	follower, err := stream.FollowTasks(l.ctx, s.o.Hub, caller.UserID, nil, s.o.Tasks)
	if err != nil {
		l.end()
		return nil, err
	}
	l.running.Go(func() {
		defer l.end()
		// However it ends, the client comes back and reads anew.
		_ = stream.Run(l.ctx, follower, func(e *stream.TaskEvent) bool { l.changed(e); return true })
	})
	list := s.o.Hub.Subscribe(stream.ConversationsOf(caller.UserID))
	l.running.Go(func() { l.watch(l.ctx, list, l.listChanged) })
	return l, nil
}

// close ends it and waits.
func (l *live) close() {
	l.end()
	l.running.Wait()
}

// changed tells a change under every name that the task has.
func (l *live) changed(e *stream.TaskEvent) {
	for _, uri := range append(l.parts(), taskAt(strconv.Itoa(e.Task.Number)), taskAt(e.Task.ID), openTasksURI) {
		l.updated(uri)
	}
	switch e.Kind {
	case enum.ChangeCreated, enum.ChangeCompleted, enum.ChangeReopened, enum.ChangeDeleted, enum.ChangeRestored:
		l.listChanged()
	}
}

// listChanged tells that there are other resources: adding what is there already is the SDK's way to say so.
func (l *live) listChanged() { l.server.AddResource(openTasks(), l.s.read) }

// parts are the parts of the open list that are subscribed to.
func (l *live) parts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.lists))
}

func (l *live) updated(uri string) {
	// It fails for clients that have left; their sessions end on their own.
	_ = l.server.ResourceUpdated(l.ctx, &sdk.ResourceUpdatedNotificationParams{URI: uri})
}

// subscribe implements the SDK's SubscribeHandler, for resources that exist. Tasks are
// followed anyway.
func (l *live) subscribe(_ context.Context, req *sdk.SubscribeRequest) error {
	uri := req.Params.URI
	p, ok := parsePlace(uri)
	l.mu.Lock()
	defer l.mu.Unlock()
	if ok && len(p.query) > 0 && p.kind == "tasks" && len(l.lists) < maxWatched {
		l.lists[uri] = true
	}
	if !ok || p.kind != "conversations" || l.watching[uri] != nil || len(l.watching) >= maxWatched {
		return nil
	}
	ctx, cancel := context.WithCancel(l.ctx)
	l.watching[uri] = cancel
	sub := l.s.o.Hub.Subscribe(p.name)
	l.running.Go(func() { l.watch(ctx, sub, func() { l.updated(uri) }) })
	return nil
}

// unsubscribe implements the SDK's UnsubscribeHandler.
func (l *live) unsubscribe(_ context.Context, req *sdk.UnsubscribeRequest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lists, req.Params.URI)
	if cancel := l.watching[req.Params.URI]; cancel != nil {
		cancel()
		delete(l.watching, req.Params.URI)
	}
	return nil
}

// watch tells that what a topic stands for has changed: of a conversation not each word of a reply, but
// each message that comes or ends.
func (l *live) watch(ctx context.Context, sub *stream.Subscription, tell func()) {
	defer sub.Close()
	for {
		batch, err := sub.Next(ctx)
		if err != nil || batch.Ended {
			return
		}
		for _, e := range batch.Events {
			if e.Kind == stream.Changed {
				batch.Behind = true
			}
		}
		if batch.Behind {
			tell()
		}
	}
}
