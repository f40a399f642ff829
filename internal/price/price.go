// Package price knows what tokens cost.
package price

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Tokens counts what model calls took.
type Tokens struct {
	// Input are the tokens read, cached ones included; Output those written.
	Input, Output int
	// Cached are those of Input that the provider served from its cache.
	Cached int
}

// Total is what limits count: read and written.
func (t Tokens) Total() int { return t.Input + t.Output }

// Plus adds two counts.
func (t Tokens) Plus(o Tokens) Tokens {
	return Tokens{Input: t.Input + o.Input, Output: t.Output + o.Output, Cached: t.Cached + o.Cached}
}

// Price is what a million tokens cost.
type Price struct{ Input, Output, Cached float64 }

// List is the prices of models, by their names as provider/name.
type List map[string]Price

// maxPrice bounds a price, so that no count of tokens overflows the cost.
const maxPrice = 1e6

// Parse reads a price list: "provider/name=input:output:cached", with commas
// between models. Prices are for a million tokens; cached may be left out and is then input's.
func Parse(list string) (List, error) {
	prices := List{}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		at := strings.LastIndexByte(entry, '=')
		if at < 1 {
			return nil, fmt.Errorf("%q names no price", entry)
		}
		price, err := parsePrice(entry[at+1:])
		if err != nil {
			return nil, fmt.Errorf("the price of %q: %w", entry[:at], err)
		}
		prices[strings.TrimSpace(entry[:at])] = price
	}
	return prices, nil
}

func parsePrice(text string) (Price, error) {
	var numbers []float64
	for part := range strings.SplitSeq(text, ":") {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || n < 0 || n > maxPrice || math.IsNaN(n) {
			return Price{}, fmt.Errorf("%q is not a price", part)
		}
		numbers = append(numbers, n)
	}
	switch len(numbers) {
	case 2:
		return Price{Input: numbers[0], Output: numbers[1], Cached: numbers[0]}, nil
	case 3:
		return Price{Input: numbers[0], Output: numbers[1], Cached: numbers[2]}, nil
	default:
		return Price{}, fmt.Errorf("it has %d numbers, not 2 or 3", len(numbers))
	}
}

// Cost is what the tokens cost in billionths of the list's currency; ok is false
// for a model without a price.
func (p List) Cost(model string, t Tokens) (nanos int64, ok bool) {
	price, ok := p[model]
	if !ok {
		return 0, false
	}
	cached := min(t.Cached, t.Input)
	million := float64(t.Input-cached)*price.Input + float64(cached)*price.Cached + float64(t.Output)*price.Output
	return int64(math.Round(million * 1000)), true
}
