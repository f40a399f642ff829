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

func ExampleExact() {
	now := due.At(time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC), time.Monday)
	m, ok := due.Exact([]string{"30", "february"}, now)
	fmt.Println(ok, m.Invalid)
	_, ok = due.Exact([]string{"milk"}, now)
	fmt.Println(ok)
	// Output:
	// true There is no 30 February.
	// false
}
