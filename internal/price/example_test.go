package price_test

import (
	"fmt"

	"errand/internal/price"
)

func ExampleList_Cost() {
	list, err := price.Parse("openai/gpt-5-mini=0.25:2.00:0.025")
	if err != nil {
		fmt.Println(err)
		return
	}
	nanos, ok := list.Cost("openai/gpt-5-mini", price.Tokens{Input: 10_000, Output: 500, Cached: 8_000})
	fmt.Println(ok, nanos, "billionths")
	_, ok = list.Cost("openai/other", price.Tokens{Input: 1})
	fmt.Println(ok)
	// Output:
	// true 1700000 billionths
	// false
}
