package run_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/chat"
	"errand/internal/run"
	"errand/internal/store"
	"errand/internal/stream"
	"errand/internal/viewer"
)

// An engine executes the runs that chat.Service enqueues. The handler stores its effects with Do and ends the run
// with Finish; both are rejected once another replica has claimed the run.
func Example() {
	ctx := context.Background()
	db, closeDB := openDatabase(ctx)
	defer closeDB()

	finished := make(chan enum.MessageStatus, 1)
	engine, err := run.NewEngine(run.Options{
		Client:     db.Client(),
		SQL:        db.SQL(),
		OnFinished: func(_ run.Job, status enum.MessageStatus) { finished <- status },
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	err = engine.Start(ctx, func(ctx context.Context, job run.Job) error {
		fmt.Println("attempt", job.Attempt)
		completed := run.Outcome{Status: enum.MessageCompleted}
		return engine.Finish(ctx, job, completed, func(m *ent.MessageUpdate) { m.SetContent("Hello!") })
	})
	if err != nil {
		panic(err)
	}

	user := db.Client().User.Create().SetSubject("alice").SaveX(rule.System(ctx))
	asUser := viewer.NewContext(ctx, viewer.Viewer{UserID: user.ID})
	chats := chat.NewService(db.Client(), stream.NewHub(), engine, nil, chat.Limits{})
	turn, err := chats.SendMessage(asUser, chat.SendMessageInput{Content: "Hi"})
	if err != nil {
		panic(err)
	}
	fmt.Println(<-finished)
	fmt.Println(db.Client().Message.GetX(asUser, turn.AssistantMessage.ID).Content)

	if err := engine.Stop(ctx); err != nil {
		panic(err)
	}
	// Output:
	// attempt 1
	// COMPLETED
	// Hello!
}

// openDatabase opens a new SQLite database with all tables.
func openDatabase(ctx context.Context) (*store.DB, func()) {
	dir, err := os.MkdirTemp("", "errand-example-")
	if err != nil {
		panic(err)
	}
	url := "sqlite:" + filepath.Join(dir, "errand.db")
	db, err := store.Open(ctx, store.Options{URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	if err := db.EnsureSchema(ctx, true); err != nil {
		panic(err)
	}
	return db, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}
