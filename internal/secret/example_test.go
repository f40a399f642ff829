package secret_test

import (
	"encoding/json"
	"fmt"
	"os"

	"errand/internal/secret"
)

func ExampleString() {
	type provider struct {
		Name string
		Key  secret.String
	}
	p := provider{Name: "openai", Key: secret.New("sk-123")}

	fmt.Printf("%+v\n", p)
	_ = json.NewEncoder(os.Stdout).Encode(p)
	fmt.Println(p.Key.Reveal())
	// Output:
	// {Name:openai Key:[redacted]}
	// {"Name":"openai","Key":"[redacted]"}
	// sk-123
}
