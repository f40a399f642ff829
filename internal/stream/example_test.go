package stream_test

import (
	"context"
	"fmt"

	"errand/ent"
	"errand/ent/enum"
	"errand/internal/stream"
)

// A stream yields the stored messages first, and then the events that continue them.
func ExampleOpenMessageStream() {
	ctx := context.Background()
	hub := stream.NewHub()
	read := func(context.Context, int, int) (stream.MessageRows, error) {
		return stream.MessageRows{
			Messages: []*ent.Message{{ID: "msg_2", Position: 2, Role: enum.RoleAssistant, Status: enum.MessagePending}},
		}, nil
	}
	s, err := stream.OpenMessageStream(ctx, hub, "conv_1", nil, read)
	if err != nil {
		fmt.Println(err)
		return
	}
	hub.Publish(stream.Event{
		Kind: stream.TextAppended, Topic: "conv_1", ID: "msg_2", Position: 2, Attempt: 1,
		Text: "Done.",
	})
	_ = stream.Run(ctx, s, func(e stream.MessageEvent) bool {
		switch e := e.(type) {
		case *stream.MessageAdded:
			fmt.Println("added", e.Message.ID)
		case *stream.MessageDelta:
			fmt.Printf("text at %d: %s\n", e.Offset, e.Text)
			return false
		}
		return true
	})
	// Output:
	// added msg_2
	// text at 0: Done.
}

// A cursor resumes a stream on any replica, without repeated events.
func ExampleOpenMessageStream_cursor() {
	ctx := context.Background()
	row := ent.Message{ID: "msg_2", Position: 2, Role: enum.RoleAssistant, Content: "Do", Status: enum.MessageStreaming}
	read := func(context.Context, int, int) (stream.MessageRows, error) {
		m := row
		return stream.MessageRows{Messages: []*ent.Message{&m}}, nil
	}
	s, err := stream.OpenMessageStream(ctx, stream.NewHub(), "conv_1", nil, read)
	if err != nil {
		fmt.Println(err)
		return
	}
	var cursor string
	for _, e := range s.Pending(ctx) {
		cursor = e.(*stream.MessageAdded).Cursor
	}
	s.Close()
	row.Content, row.Status = "Done.", enum.MessageCompleted

	resumed, err := stream.OpenMessageStream(ctx, stream.NewHub(), "conv_1", &cursor, read)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resumed.Close()
	for _, e := range resumed.Pending(ctx) {
		switch e := e.(type) {
		case *stream.MessageDelta:
			fmt.Printf("text at %d: %s\n", e.Offset, e.Text)
		case *stream.MessageFinished:
			fmt.Println(e.Message.Status)
		}
	}
	// Output:
	// text at 2: ne.
	// COMPLETED
}
