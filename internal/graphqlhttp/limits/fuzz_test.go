package limits_test

import (
	"testing"

	"errand/internal/graphqlhttp/limits"

	"github.com/vektah/gqlparser/v2/validator"
)

// FuzzLimits searches for documents that make the checks panic, hang or exceed a limit.
func FuzzLimits(f *testing.F) {
	for _, seed := range []string{
		`{one}`,
		`{tasks(first:10){edges{node{id ...F}}}} fragment F on Task{title sub{total}}`,
		`query A($n:Int=3 @x){a:tasks(last:$n){...B ...B}} fragment B on Tasks{nodes{id @skip(if:true)}}`,
		`{...A} fragment A on Query{...B} fragment B on Query{...A}`,
		`{__schema{types{name}} a(x:[{y:[1 2 {z:$v}]}])}`,
		"subscription S { a } # comment\nmutation{b}",
	} {
		f.Add(seed)
	}
	l := limits.Default()
	f.Fuzz(func(t *testing.T, document string) {
		doc, tokens, err := l.Parse(document)
		if tokens < 0 || (err == nil && tokens > l.Tokens) {
			t.Fatalf("%d tokens were accepted", tokens)
		}
		if err != nil {
			return
		}
		if _, err := l.Check(doc); err != nil {
			return
		}
		if len(doc.Operations) == 0 || len(validator.ValidateWithRules(schema, doc, nil)) > 0 {
			return
		}
		for _, op := range doc.Operations {
			cost, err := l.Estimate(op, map[string]any{})
			if cost < 0 || (err == nil && cost > l.Cost) {
				t.Fatalf("cost %d was accepted", cost)
			}
		}
	})
}
