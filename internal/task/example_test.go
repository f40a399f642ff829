package task_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"errand/ent"
	"errand/ent/enum"
	"errand/ent/rule"
	"errand/internal/page"
	"errand/internal/quota"
	"errand/internal/store"
	"errand/internal/task"
	"errand/internal/viewer"
)

// A Filter selects tasks that meet all its conditions, an Order sorts them.
func ExampleService_ListTasks() {
	ctx, db, closeDB := openExample()
	defer closeDB()
	tasks := task.NewService(db.Client(), quota.Limits{}, func(string) {})
	urgent := enum.PriorityUrgent
	for _, in := range []task.CreateTaskInput{
		{Title: "Call the bank"},
		{Title: "Water the plants", Priority: &urgent},
		{Title: "Buy water", Priority: &urgent},
	} {
		if _, err := tasks.CreateTask(ctx, in); err != nil {
			panic(err)
		}
	}

	search := "water"
	byTitle := &task.Order{Field: enum.OrderTitle, Direction: enum.Ascending}
	found, err := tasks.ListTasks(ctx, page.Args{}, byTitle, &task.Filter{Search: &search})
	if err != nil {
		panic(err)
	}
	for _, t := range found.Nodes() {
		fmt.Println(t.Number, t.Title)
	}
	// Output:
	// 3 Buy water
	// 2 Water the plants
}

// In binds the operations to a transaction of the caller, who reports the change after the commit.
func ExampleService_In() {
	ctx, db, closeDB := openExample()
	defer closeDB()
	tasks := task.NewService(db.Client(), quota.Limits{}, func(string) { fmt.Println("changed") })

	err := store.WithTx(ctx, db.Client(), func(tx *ent.Tx) error {
		created, err := tasks.In(tx).CreateTask(ctx, task.CreateTaskInput{Title: "Buy milk"})
		if err != nil {
			return err
		}
		_, err = tasks.In(tx).CompleteTask(ctx, created.ID)
		return err
	})
	if err != nil {
		panic(err)
	}
	v, _ := viewer.FromContext(ctx)
	tasks.NotifyChanged(v.UserID)
	// Output:
	// changed
}

// openExample opens a new SQLite database with a user, who is the viewer of the context.
func openExample() (context.Context, *store.DB, func()) {
	dir, err := os.MkdirTemp("", "errand-example-")
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{
		URL:    "sqlite:" + filepath.Join(dir, "errand.db"),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	if err := db.EnsureSchema(ctx, true); err != nil {
		panic(err)
	}
	user := db.Client().User.Create().SetSubject("alice").SaveX(rule.System(ctx))
	return viewer.NewContext(ctx, viewer.Viewer{UserID: user.ID}), db, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}
