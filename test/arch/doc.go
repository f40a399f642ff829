// Package arch checks the structure of the module against four data files:
//
//   - packages.txt: which package owns what and may import what; the source of the table in docs/ARCHITECTURE.md
//     (go test ./test/arch -update rewrites it)
//   - calls.txt: the only callers of functions that bypass a check or hide a value in a context
//   - names.txt: identifiers that were renamed and must not return
//   - types.txt: the reason of each type with many methods in many files
//
// It also checks that the paths in documents exist, and that the program depends on no package that only development
// needs. "make lint" runs these checks. They read the source files with
// go/parser, without type information.
package arch
