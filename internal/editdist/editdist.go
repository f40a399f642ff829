// Package editdist measures spelling mistakes, and finds the known names that a misspelled name may stand for.
package editdist

import (
	"cmp"
	"slices"
)

// Distance returns the number of letters to insert, delete, replace or swap with their neighbor that turns a into b
// (the optimal string alignment distance). The time is proportional to the product of the lengths.
func Distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	// Rows of the table: the distances of a prefix of from to all prefixes of to, and those of the two prefixes before.
	cells := make([]int, 3*(len(to)+1))
	row, above, before := cells[:len(to)+1], cells[len(to)+1:2*(len(to)+1)], cells[2*(len(to)+1):]
	for j := range row {
		row[j] = j
	}
	for i := range from {
		row, above, before = before, row, above
		row[0] = i + 1
		for j := range to {
			replace := above[j]
			if from[i] != to[j] {
				replace++
			}
			row[j+1] = min(replace, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(to)]
}

// Closest returns the known names that are closest to name, none if they are further than Limit.
func Closest(name string, known []string) []string {
	var found []string
	best := 0
	for _, candidate := range known {
		d := Distance(name, candidate)
		if d > Limit(candidate) || len(found) > 0 && d > best {
			continue
		}
		if len(found) > 0 && d < best {
			found = nil
		}
		found, best = append(found, candidate), d
	}
	slices.SortFunc(found, cmp.Compare)
	return found
}

// Limit returns the distance up to which a text may stand for a name: two, but one for short names, which would
// otherwise be close to many other words.
func Limit(name string) int {
	const short = 5
	if len(name) <= short {
		return 1
	}
	return 2
}
