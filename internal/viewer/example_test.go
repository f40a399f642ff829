package viewer_test

import (
	"context"
	"fmt"

	"errand/internal/viewer"
)

func ExampleRequire() {
	_, err := viewer.Require(context.Background())
	fmt.Println(err)

	ctx := viewer.NewContext(context.Background(), viewer.Viewer{UserID: "user_1"})
	v, err := viewer.Require(ctx)
	fmt.Println(v.UserID, v.Actor, err)
	// Output:
	// Sign in first.
	// user_1 PERSON <nil>
}
