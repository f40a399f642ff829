package main

import (
	"bytes"
	"fmt"
	"go/format"
	"regexp"
	"strings"
)

// Fragments of the code that gqlgen's templates produce. A new version of gqlgen may change them; the counts
// that useFieldWriters checks turn that into an error of "make generate".
const (
	importBlock  = "import (\n"
	gqlgenList   = "graphql.MarshalSliceConcurrently(ctx, len(v), 0, false, "
	fastjsonList = "fastjson.MarshalList(ctx, len(v), "

	gqlgenBuffer   = "var buf bytes.Buffer\n\t\t\tdata.MarshalGQL(&buf)\n"
	fastjsonBuffer = "buf := fastjson.NewBuffer(opCtx)\n\t\t\tdata.MarshalGQL(buf)\n"
)

// useFieldWriters edits the source that gqlgen generated, which cannot be changed through gqlgen's options:
//
//   - the marshaler of each named object type tries fastjson.Marshal first;
//   - lists are marshaled one element after the other by fastjson.MarshalList. Dataloaders read whatever takes
//     time for all elements at once, so a goroutine per element gains nothing;
//   - the data of a query and of a mutation is written into a fastjson.NewBuffer;
//   - fastjson is imported.
//
// It returns an error unless every edit applies exactly as often as expected: once per type, once per list
// type (lists in all), two buffers, and one import.
func useFieldWriters(source []byte, types []string, lists int) ([]byte, error) {
	var err error
	for _, name := range types {
		if source, err = tryFastjson(source, name); err != nil {
			return nil, err
		}
	}
	if source, err = replaceExactly(source, gqlgenList, fastjsonList, lists); err != nil {
		return nil, err
	}
	if n := bytes.Count(source, []byte("graphql.MarshalSliceConcurrently(")); n > 0 {
		return nil, fmt.Errorf("%d calls of graphql.MarshalSliceConcurrently have other arguments than expected", n)
	}
	if source, err = replaceExactly(source, gqlgenBuffer, fastjsonBuffer, 2); err != nil {
		return nil, err
	}
	withFastjson := importBlock + "\t\"errand/graph/fastjson\"\n"
	if source, err = replaceExactly(source, importBlock, withFastjson, 1); err != nil {
		return nil, err
	}
	return format.Source(source)
}

// tryFastjson inserts a call of fastjson.Marshal at the beginning of the marshaler of the named object type.
func tryFastjson(source []byte, typeName string) ([]byte, error) {
	signature := regexp.MustCompile(`(?m)^func \(ec \*executionContext\) _` + typeName +
		`\(ctx context\.Context, sel ast\.SelectionSet, obj .*\) graphql\.Marshaler \{\n`)
	matches := signature.FindAllIndex(source, -1)
	if len(matches) != 1 {
		return nil, fmt.Errorf("%d marshalers of type %s in gqlgen's code, want 1", len(matches), typeName)
	}
	call := fmt.Sprintf("\tif m := fastjson.Marshal(ec.OperationContext, sel, %sImplementors, ec.fieldWriter%s, obj); "+
		"m != nil {\n\t\treturn m\n\t}\n", lowerFirst(typeName), typeName)
	at := matches[0][1]
	return append(source[:at:at], append([]byte(call), source[at:]...)...), nil
}

// replaceExactly replaces old by replacement and returns an error unless old occurs exactly count times.
func replaceExactly(source []byte, old, replacement string, count int) ([]byte, error) {
	if n := bytes.Count(source, []byte(old)); n != count {
		return nil, fmt.Errorf("%q occurs %d times in gqlgen's code, want %d", old, n, count)
	}
	return bytes.ReplaceAll(source, []byte(old), []byte(replacement)), nil
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
