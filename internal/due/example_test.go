package due_test

import (
	"fmt"
	"strings"
	"time"

	"errand/internal/due"
)

func ExampleFind() {
	now := due.At(time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC), time.Monday) // a Wednesday
	words := strings.Fields("call ann tomorrow at 5pm about the lease")
	m, ok := due.Find(words, now)
	fmt.Println(ok, words[m.Start:m.End])
	fmt.Println(m.Due.At.Format(time.DateTime))
	// Output:
	// true [tomorrow at 5pm]
	// 2026-11-26 17:00:00
}

func ExampleParse() {
	now := due.At(time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC), time.Monday)
	d, _ := due.Parse("Fri 4 Dec at 3pm", now)
	fmt.Println(d)
	_, err := due.Parse("30 february", now)
	fmt.Println(err)
	// Output:
	// Fri 4 Dec 2026, 15:00
	// unclear: There is no 30 February.
}

func ExampleShift() {
	now := due.At(time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC), time.Monday)
	at := time.Date(2026, 12, 1, 15, 0, 0, 0, time.UTC)
	d, _ := due.Shift("to friday", due.Of("", &at, now.Location()), now)
	fmt.Println(d)
	d, _ = due.Shift("by two days", due.Of("2026-12-01", nil, now.Location()), now)
	fmt.Println(d)
	// Output:
	// Fri 27 Nov 2026, 15:00
	// Thu 3 Dec 2026
}
