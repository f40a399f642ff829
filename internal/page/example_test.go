package page_test

import (
	"context"
	"fmt"

	"errand/internal/page"
)

// A list of names, sorted by the name itself, is read by keyset: at most Size+1 items after the cursor.
func ExampleBuild() {
	names := []string{"Ada", "Ben", "Cleo", "Dan"}
	cursorOf := func(name string) page.Cursor { return page.Cursor{List: "names", Key: []any{name}} }
	count := func(context.Context) (page.Total, error) { return page.Total{Count: len(names)}, nil }

	size, after := 2, cursorOf("Ada").Encode()
	w, err := page.Args{First: &size, After: &after}.Window("names", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	var items []string // in SQL: WHERE name > $after ORDER BY name LIMIT $size + 1
	for _, name := range names {
		if name > w.After.Text(0) && len(items) < w.Size+1 {
			items = append(items, name)
		}
	}
	c := page.Build(w, items, cursorOf, count)
	fmt.Println(c.Nodes(), c.PageInfo.HasPreviousPage, c.PageInfo.HasNextPage)
	// Output: [Ben Cleo] true true
}

// A cursor of one list is not accepted for another.
func ExampleArgs_Window() {
	cursor := page.Cursor{List: "tasks", Key: []any{42}}.Encode()
	w, err := page.Args{Before: &cursor}.Window("tasks", 1)
	fmt.Println(w.Before.Int(0), w.Backward, w.Size, err)

	_, err = page.Args{Before: &cursor}.Window("messages", 1)
	fmt.Println(err)
	// Output:
	// 42 true 20 <nil>
	// Invalid cursor: use a cursor that this list returned, unchanged.
}

// The items of a conversation have the positions 1 to n, so that a page is a range of positions.
func ExampleArgs_Range() {
	size := 20
	r, err := page.Args{Last: &size}.Range("messages", 50)
	fmt.Println(r.From, r.To, r.Total, err)
	// Output: 31 50 50 <nil>
}
