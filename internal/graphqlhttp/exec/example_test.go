package exec_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/exec"
	"errand/internal/graphqlhttp/internal/fixture"
	"errand/internal/graphqlhttp/limits"
)

// authenticate accepts every token as the name of a user.
func authenticate(ctx context.Context, token string) (context.Context, string, time.Time, error) {
	return ctx, token, time.Time{}, nil
}

// This example serves a schema over HTTP.
func Example() {
	engine := exec.New(exec.Options{
		Schema:       fixture.New().Schema(),
		Authenticate: authenticate,
	})
	server := httptest.NewServer(graphqlhttp.New(engine, graphqlhttp.Options{}))
	defer server.Close()

	response, err := http.Post(server.URL, "application/json", strings.NewReader(`{"query":"{ hello }"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Println(response.StatusCode, string(body))
	// Output: 200 {"data":{"hello":"world"},"extensions":{"cost":{"limit":30000,"requested":1}}}
}

// This example executes a request without a transport.
func ExampleEngine_Prepare() {
	engine := exec.New(exec.Options{
		Schema:       fixture.New().Schema(),
		Authenticate: authenticate,
		Limits:       limits.Limits{RootFields: 2},
	})
	for _, body := range []string{`{"query":"{ hello }"}`, `{"query":"{ hello hello hello }"}`} {
		request, requestErr := engine.DecodeBody([]byte(body))
		if requestErr != nil {
			fmt.Println(requestErr.Code())
			continue
		}
		operation, requestErr := engine.Prepare(request, exec.Identity{}, false)
		if requestErr != nil {
			fmt.Println(requestErr.Code(), requestErr.Errors[0].Message)
			continue
		}
		response := operation.Execute(context.Background())
		fmt.Println(string(response.Data))
	}
	// Output:
	// {"hello":"world"}
	// COMPLEXITY_LIMIT_EXCEEDED The document has 3 root fields; the limit "rootFields" is 2.
}

// A manifest restricts the server to the documents of its front ends.
func ExampleReadManifest() {
	const file = `{"001c3174e099bd72b729d0c0a529ba9f5a740c446e2a6e1d71b283cb84ec3065": "{ hello }"}`
	manifest, err := exec.ReadManifest(strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(manifest.Len(), "document")
	// Output: 1 document
}
