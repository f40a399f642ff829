// Package price computes the cost of tokens from a price list.
package price

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Tokens counts the tokens of model calls.
type Tokens struct {
	// Input counts prompt tokens, cached ones included; Output counts generated tokens.
	Input, Output int
	// Cached is the part of Input that the provider served from its cache.
	Cached int
}

// Total is the number that limits apply to: input and output.
func (t Tokens) Total() int { return t.Input + t.Output }

// Add returns the sum of two counts.
func (t Tokens) Add(o Tokens) Tokens {
	return Tokens{Input: t.Input + o.Input, Output: t.Output + o.Output, Cached: t.Cached + o.Cached}
}

// Price is the price of a million tokens.
type Price struct{ Input, Output, Cached float64 }

// List maps models, as provider/name, to prices.
type List map[string]Price

// maxPrice bounds a price, so that no count of tokens overflows the cost.
const maxPrice = 1e6

// Parse parses a comma-separated price list of entries "provider/name=input:output[:cached]". Prices are for
// a million tokens; cached defaults to input.
func Parse(list string) (List, error) {
	prices := List{}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		at := strings.LastIndexByte(entry, '=')
		if at < 1 {
			return nil, fmt.Errorf("%q has no price; want provider/name=input:output[:cached]", entry)
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
			return Price{}, fmt.Errorf("%q is not a number from 0 to 1000000", part)
		}
		numbers = append(numbers, n)
	}
	switch len(numbers) {
	case 2:
		return Price{Input: numbers[0], Output: numbers[1], Cached: numbers[0]}, nil
	case 3:
		return Price{Input: numbers[0], Output: numbers[1], Cached: numbers[2]}, nil
	default:
		return Price{}, fmt.Errorf("want 2 or 3 numbers, got %d", len(numbers))
	}
}

// Cost returns the cost of tokens in billionths of the currency of the list. ok is false for a model without
// a price.
func (p List) Cost(model string, t Tokens) (nanos int64, ok bool) {
	price, ok := p[model]
	if !ok {
		return 0, false
	}
	cached := min(t.Cached, t.Input)
	million := float64(t.Input-cached)*price.Input + float64(cached)*price.Cached + float64(t.Output)*price.Output
	return int64(math.Round(million * 1000)), true
}
