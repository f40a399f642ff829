package jsonlimit_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"errand/internal/jsonlimit"
)

func TestMeasure_Texts_HaveShape(t *testing.T) {
	for text, shape := range map[string]jsonlimit.Shape{
		``:                            {},
		`1`:                           {},
		`",[{\"\\"`:                   {},
		`[]`:                          {Values: 1, Depth: 1},
		`[1,2,3]`:                     {Values: 3, Depth: 1},
		`{"a":1,"b":[{"c":"],}"},2]}`: {Values: 5, Depth: 3},
		`[[],[[]]]`:                   {Values: 5, Depth: 3},
	} {
		require.Equal(t, shape, jsonlimit.Measure([]byte(text)), text)
	}
}

// FuzzMeasure checks that the number of values is an upper bound, and that the depth is exact.
func FuzzMeasure(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"\"["},[]],"c":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var v any
		if json.Unmarshal(text, &v) != nil {
			return
		}
		values, depth := count(v)
		shape := jsonlimit.Measure(text)
		require.GreaterOrEqual(t, shape.Values, values)
		require.GreaterOrEqual(t, shape.Depth, depth) // more when a repeated member hides a deep one
	})
}

// count returns the number of values within v, and its depth.
func count(v any) (values, depth int) {
	var children []any
	switch v := v.(type) {
	case []any:
		children = v
	case map[string]any:
		for _, child := range v {
			children = append(children, child)
		}
	default:
		return 0, 0
	}
	for _, child := range children {
		n, d := count(child)
		values, depth = values+1+n, max(depth, d)
	}
	return values, depth + 1
}
