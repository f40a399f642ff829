package graphqlhttp_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// times concatenates part(0) to part(n-1).
func times(n int, part func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(part(i))
	}
	return b.String()
}

// hostile are documents that are expensive to parse, to validate or to execute.
var hostile = map[string]string{
	"equal bytes":       "{" + strings.Repeat(" ", 100000) + strings.Repeat("a ", 15000) + "}",
	"a block in bounds": `{echo(n:"""` + strings.Repeat("a\n", 60000) + `""")}`,
	"equal fields":      "{" + strings.Repeat("hello ", 8000) + "}",
	"a million tokens":  "{" + strings.Repeat("a ", 450000) + "}",
	"open braces":       strings.Repeat("{a", 450000),
	"open lists":        "{echo(list:" + strings.Repeat("[", 900000),
	"nested lists":      "{echo(list:" + strings.Repeat("[", 900) + strings.Repeat("]", 900) + ")}",
	"nested objects":    "{echo(input:" + strings.Repeat("{inner:", 900) + "{}" + strings.Repeat("}", 900) + ")}",
	"a megabyte of 1":   `{echo(n:` + strings.Repeat("1", 900000) + `)}`,
	"a megabyte of ,":   "{hello" + strings.Repeat(",", 900000) + "}",
	"a megabyte of #":   "{hello}" + strings.Repeat("#\n", 300000),
	"a block of lines":  `{echo(n:"""` + strings.Repeat("a\n", 300000) + `""")}`,
	"chained fragments": "{...F0}" + times(
		1000,
		func(i int) string { return fmt.Sprintf("fragment F%d on Query{hello ...F%d}", i, i+1) },
	) + "fragment F1000 on Query{hello}",
	"parallel fragments": "{" + times(
		1000,
		func(i int) string { return fmt.Sprintf("...F%d ", i) },
	) + "}" + times(
		1000,
		func(i int) string { return fmt.Sprintf("fragment F%d on Query{hello}", i) },
	),
	"a web of spreads": "{...F0}" + times(100, func(i int) string {
		return fmt.Sprintf(
			"fragment F%d on Query{%s}",
			i,
			times(12, func(j int) string { return fmt.Sprintf("...F%d ", (i+j*7+1)%100) }),
		)
	}),
	"a permitted web": "{...F0}" + times(100, func(i int) string {
		return fmt.Sprintf("fragment F%d on Query{...F%d ...F%d ...F%d}", i, (i+1)%100, (i+31)%100, (i+57)%100)
	}),
	"an alias bomb": "{" + times(
		25,
		func(i int) string { return fmt.Sprintf("a%d:items{...A}", i) },
	) + "} fragment A on ItemConnection{" + times(
		90,
		func(i int) string { return fmt.Sprintf("b%d:nodes{...B}", i) },
	) + "} fragment B on Item{" + times(
		90,
		func(i int) string { return fmt.Sprintf("c%d:children{total}", i) },
	) + "}",
	"doubling fragments": "{items{nodes{...F0}}}" + times(
		60,
		func(i int) string { return fmt.Sprintf("fragment F%d on Item{...F%d ...F%d}", i, i+1, i+1) },
	) + "fragment F60 on Item{id}",
	"a long literal list": "{echo(list:[" + strings.Repeat("1 ", 4900) + "])}",
	"permitted lists": "{" + times(
		4,
		func(i int) string { return fmt.Sprintf("a%d:echo(list:[%s])", i, strings.Repeat("1 ", 1000)) },
	) + "}",
	"a long list in a fragment": "{" + strings.Repeat("...F ", 30) + "} fragment F on Query{echo(list:[" +
		strings.Repeat("1 ", 1000) + "])}",
	"a long default value": "query($l:[Int!]=[" + strings.Repeat("1 ", 1000) + "]){" + times(
		30,
		func(i int) string { return fmt.Sprintf("a%d:echo(list:$l)", i) },
	) + "}",
	"deep fields":    strings.Repeat("{items{nodes{children", 300) + "{total}" + strings.Repeat("}}}", 300),
	"deep fragments": "{items" + strings.Repeat("{... on ItemConnection", 900) + "{total}" + strings.Repeat("}", 901),
	"long arguments": "{items{nodes{" + times(
		69,
		func(int) string { return `x:children(first:"` + strings.Repeat("a", 1800) + `"){total}` },
	) + "}}}",
	"unknown fields":    "{items{" + times(1990, func(i int) string { return fmt.Sprintf("noodes%d ", i) }) + "}}",
	"unknown arguments": "{items(" + times(1600, func(i int) string { return fmt.Sprintf("fist%d:1 ", i) }) + "){total}}",
	"unknown variables": times(
		10,
		func(i int) string { return fmt.Sprintf("query Q%d{...F}", i) },
	) + "fragment F on Query{echo(list:[" + times(
		2300,
		func(i int) string { return fmt.Sprintf("$a%d ", i) },
	) + "])}",
	"equal inputs": "{echo(input:{" + strings.Repeat("title:1 ", 1600) + "})}",
	"directives":   "{hello" + strings.Repeat(" @skip(if:false)", 199) + "}",
	"introspection": "{" + times(
		20,
		func(i int) string { return fmt.Sprintf("a%d:__schema{types{fields{name type{name}}}}", i) },
	) + "}",
	"a costly page": "{a:items(first:100){nodes{" + times(
		95,
		func(i int) string { return fmt.Sprintf("a%d:title ", i) },
	) + "}} b:items(first:100){nodes{" + times(
		95,
		func(i int) string { return fmt.Sprintf("a%d:title ", i) },
	) + "}}}",
}

// The measurements include the client, which is in the same process.
func TestHostileDocuments_LittleCPUAndMemory(t *testing.T) {
	b := start(t, nil)
	b.query("{hello}", "") // warm up
	for name, document := range hostile {
		t.Run(name, func(t *testing.T) {
			require.Less(t, len(document), 1<<20)
			cpu, memory := measure(func() { b.query(document, "") })
			require.Less(t, cpu, 100*time.Millisecond*slowdown)
			require.Less(t, memory, uint64(20<<20))
		})
	}
}

// hostileBodies are requests that are expensive to decode or to coerce.
var hostileBodies = map[string]string{
	"deep lists beside the request":   `{"query":"{hello}","x":` + strings.Repeat("[", 1_000_000),
	"deep objects beside the request": `{"query":"{hello}","x":` + strings.Repeat(`{"":`, 240_000),
	"deep lists in variables": `{"query":"query($l:[Int!]){echo(list:$l)}","variables":{"l":` + strings.Repeat(
		"[",
		4900,
	) + strings.Repeat(
		"]",
		4900,
	) + `}}`,
	"deep objects in extensions": `{"query":"{hello}","extensions":` + strings.Repeat(
		`{"":`,
		9000,
	) + "1" + strings.Repeat(
		"}",
		9001,
	),
	"a megabyte of text": `{"query":"query($t:String){echo(text:$t)}","variables":{"t":"` + strings.Repeat(
		"ü",
		500_000,
	) + `"}}`,
	"a megabyte of escapes": `{"query":"query($t:String){echo(text:$t)}","variables":{"t":"` + strings.Repeat(
		`\ud83e\udd8a`,
		80_000,
	) + `"}}`,
	"a megabyte of half characters": `{"query":"query($t:String){echo(text:$t)}","variables":{"t":"` + strings.Repeat(
		`\ud83e`,
		160_000,
	) + `"}}`,
	"an Int of a million digits": `{"query":"query($n:Int){echo(n:$n)}","variables":{"n":` + strings.Repeat(
		"9",
		1_000_000,
	) + `}}`,
	"a Float of a million digits": `{"query":"query($f:Float){echo(f:$f)}","variables":{"f":0.` + strings.Repeat(
		"0",
		999_000,
	) + `1}}`,
	"an ID of a million digits": `{"query":"query($i:ID){echo(id:$i)}","variables":{"i":` + strings.Repeat(
		"9",
		1_000_000,
	) + `}}`,
	"a huge exponent": `{"query":"query($n:Int){echo(n:$n)}","variables":{"n":1e999999999}}`,
	"a list in many fields": `{"query":"query($l:[Int!]){` + times(
		30,
		func(i int) string { return fmt.Sprintf("a%d:echo(list:$l)", i) },
	) + `}","variables":{"l":[` + strings.Repeat("1,", 9990) + `1]}}`,
	"a permitted list in many fields": `{"query":"query($l:[Int!]){` + times(
		29,
		func(i int) string { return fmt.Sprintf("a%d:echo(list:$l)", i) },
	) + `}","variables":{"l":[` + strings.Repeat("1,", 999) + `1]}}`,
	"an input in many fields": `{"query":"query($i:EchoInput){` + times(
		30,
		func(i int) string { return fmt.Sprintf("a%d:echo(input:$i)", i) },
	) + `}","variables":{"i":{"title":"a","tags":[` + strings.Repeat(`"b",`, 999) + `"b"]}}}`,
	"a text in many fields": `{"query":"query($t:String){` + times(
		30,
		func(i int) string { return fmt.Sprintf("a%d:echo(text:$t)", i) },
	) + `}","variables":{"t":"` + strings.Repeat("ü", 450_000) + `"}}`,
	"the maximum of values": `{"query":"query($l:[Int!]){echo(list:$l)}","variables":{"l":[` + strings.Repeat(
		"1,",
		9990,
	) + `1]}}`,
	"the maximum of invalid values": `{"query":"query($l:[Int!]){echo(list:$l)}","variables":{"l":[` + strings.Repeat(
		`"",`,
		9990,
	) + `1]}}`,
	"the maximum of unknown fields": `{"query":"query($i:EchoInput){echo(input:$i)}",` +
		`"variables":{"i":{"title":"a"` + times(
		9990,
		func(i int) string { return fmt.Sprintf(`,"x%d":1`, i) },
	) + `}}}`,
	"many unknown members": `{"query":"{hello}"` + times(
		60_000,
		func(i int) string { return fmt.Sprintf(`,"member%d":1`, i) },
	) + `}`,
	"white space": strings.Repeat(" ", 1_000_000) + `{"query":"{hello}"}`,
	"a name of a megabyte": `{"query":"query A{hello}","operationName":"` + strings.Repeat(
		"a",
		1_000_000,
	) + `"}`,
	"a list of empty objects by batch": "[" + strings.Repeat(`{},`, 300_000) + "{}]",
}

func TestHostileBodies_LittleCPUAndMemory(t *testing.T) {
	b := start(t, nil)
	b.query("{hello}", "") // warm up
	for name, body := range hostileBodies {
		t.Run(name, func(t *testing.T) {
			require.Less(t, len(body), 1<<20)
			cpu, memory := measure(func() { b.post(body) })
			require.Less(t, cpu, 100*time.Millisecond*slowdown)
			require.Less(t, memory, uint64(20<<20)*larger)
		})
	}
}

// WebSocket messages have no limit on the number of values.
func TestHostileMessages_LittleCPUAndMemory(t *testing.T) {
	b := start(t, nil)
	for name, payload := range map[string]string{
		"many objects": `{"a":[` + strings.Repeat(`{"":0},`, 36_000) + `0]}`,
		"many lists":   `{"a":[` + strings.Repeat(`[],`, 85_000) + `0]}`,
		"many members": `{` +
			times(22_000, func(i int) string { return fmt.Sprintf(`"k%d":0,`, i) }) +
			`"a":0}`,
		"deep headers":                   strings.Repeat(`{"headers":`, 9000) + "{}" + strings.Repeat("}", 9000),
		"deeper than the decoder allows": `{"a":` + strings.Repeat(`[`, 200_000) + strings.Repeat("]", 50_000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := b.ready("alice")
			cpu, memory := measure(func() {
				c.write(`{"type":"ping","payload":` + payload + `}`)
				_, _, _ = c.conn.ReadMessage() // a pong, or the close
			})
			require.Less(t, cpu, 100*time.Millisecond*slowdown)
			require.Less(t, memory, uint64(20<<20)*larger)
		})
	}
}

// measure returns the processor time and the allocated bytes of the process during do.
func measure(do func()) (time.Duration, uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := processorTime()
	do()
	used := processorTime() - start
	runtime.ReadMemStats(&after)
	return used, after.TotalAlloc - before.TotalAlloc
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail for RUSAGE_SELF
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Documents that are expensive for the library's validation are rejected before it.
func TestHostileDocuments_RejectedByNamedLimit(t *testing.T) {
	b := start(t, nil)
	for name, limit := range map[string]string{
		"equal fields":      "tokens",
		"chained fragments": "tokens",
		"an alias bomb":     "fields",
		"nested objects":    "inputDepth",

		"a long literal list":       "inputList",
		"a long list in a fragment": "cost",
		"a long default value":      "cost",
		"a web of spreads":          "spreads",
		"doubling fragments":        "fields",
	} {
		a := b.query(hostile[name], "")
		require.Equal(t, "COMPLEXITY_LIMIT_EXCEEDED", a.code(), name)
		require.Equal(t, limit, a.extension("limit"), name)
	}
}

func TestDeepVariables_LittleCPUAndMemory(t *testing.T) {
	b := start(t, nil)
	const depth = 4900
	variables := `{"i":` + strings.Repeat(`{"inner":`, depth) + "{}" + strings.Repeat("}", depth+1)
	cpu, memory := measure(func() {
		a := b.query(`query($i:EchoInput){echo(input:$i)}`, variables)
		require.Equal(t, "inputDepth", a.extension("limit"))
	})
	require.Less(t, cpu, 100*time.Millisecond*slowdown)
	require.Less(t, memory, uint64(20<<20))
}
