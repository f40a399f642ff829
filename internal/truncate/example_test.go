package truncate_test

import (
	"fmt"

	"errand/internal/truncate"
)

func ExampleEllipsis() {
	fmt.Println(truncate.Ellipsis("Buy milk", 8))
	fmt.Println(truncate.Ellipsis("Buy milk and bread", 8))
	// Output:
	// Buy milk
	// Buy mil…
}
