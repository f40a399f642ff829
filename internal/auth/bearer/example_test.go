package bearer_test

import (
	"errors"
	"fmt"

	"errand/internal/auth/bearer"
)

func ExampleParse() {
	token, err := bearer.Parse("Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln")
	fmt.Println(token, err)

	_, err = bearer.Parse("eyJhbGciOiJFZERTQSJ9.e30.c2ln")
	fmt.Println(errors.Is(err, bearer.ErrMalformed))
	// Output:
	// eyJhbGciOiJFZERTQSJ9.e30.c2ln <nil>
	// true
}
