package llm

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// MaxTokens is the largest number of tokens that a usage report is believed. Reports above it are dropped, so that the
// usage is estimated.
const MaxTokens = 10_000_000

// Number is an integer that servers also send as a float, in a string, or as null. Decoding never fails.
type Number struct {
	// Value is the integer, 0 if there is none. It is limited to the range of int32.
	Value int
	// Valid means that there is an integer.
	Valid bool
	// Irregular means that the JSON is not a plain integer in range.
	Irregular bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	*n = Number{}
	text := string(data)
	if text == "null" {
		return nil
	}
	unquoted := strings.TrimSpace(strings.Trim(text, `"`))
	n.Irregular = unquoted != text
	f, err := strconv.ParseFloat(unquoted, 64)
	if (err != nil && !math.IsInf(f, 0)) || math.IsNaN(f) {
		n.Irregular = true
		return nil
	}
	limited := min(max(f, math.MinInt32), math.MaxInt32)
	n.Valid = true
	n.Value = int(math.Trunc(limited))
	n.Irregular = n.Irregular || limited != f || strings.ContainsAny(text, ".eE")
	return nil
}

// Sum returns the sum of numbers, which is irregular if one of them is. Negative numbers count as 0.
func Sum(numbers ...Number) Number {
	sum := Number{Valid: true}
	for _, n := range numbers {
		sum.Value += max(n.Value, 0)
		sum.Irregular = sum.Irregular || n.Irregular || n.Value < 0
	}
	return sum
}

// Text is a string that servers also send as a number or as a list of parts, whose text parts are joined. Other values
// are dropped. Decoding never fails.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	*t = ""
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = Text(s)
		return nil
	}
	var number json.Number
	if json.Unmarshal(data, &number) == nil {
		*t = Text(number)
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		list = []json.RawMessage{data}
	}
	for _, item := range list {
		if json.Unmarshal(item, &s) == nil {
			*t += Text(s)
			continue
		}
		var part struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}
		if json.Unmarshal(item, &part) == nil && (part.Type == "text" || part.Type == "output_text" || part.Type == "") {
			*t += Text(part.Text)
		}
	}
	return nil
}

// Arguments is a fragment of the JSON of a call's arguments. Servers send it in a string or as the value itself.
// Decoding never fails.
type Arguments string

// UnmarshalJSON implements json.Unmarshaler.
func (a *Arguments) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil { // null leaves s empty
		s = string(data)
	}
	*a = Arguments(s)
	return nil
}

// UsageReport holds the token counts of a report as a server sent them.
type UsageReport struct{ Input, Output, Cached Number }

// SetUsage records a report. Negative counts become 0, and a report with a count above [MaxTokens] is dropped. The
// first irregular report of a client is logged.
func (r *Response) SetUsage(u UsageReport) {
	counts := []*Number{&u.Input, &u.Output, &u.Cached}
	irregular, dropped := false, false
	for _, n := range counts {
		irregular = irregular || n.Irregular || n.Value < 0 || n.Value > MaxTokens
		dropped = dropped || n.Value > MaxTokens
		n.Value = max(n.Value, 0)
	}
	if irregular {
		r.client.warnOnce("usage", "the provider reports token counts that are not plain integers", "dropped", dropped)
	}
	if !dropped {
		r.Usage = Usage{Input: u.Input.Value, Output: u.Output.Value, Cached: u.Cached.Value}
	}
}
