//go:build ignore

// Command serve serves the playground and forwards other requests to a fake GraphQL server, once with development
// sign-in and once without. It prints the two base URLs and exits when stdin closes.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"errand/web"
)

func main() {
	backend := flag.String("backend", "", "address of the GraphQL server, http://…")
	flag.Parse()
	target, err := url.Parse(*backend)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	fmt.Println(serve(proxy, web.PlaygroundOptions{DevSignIn: true}))
	fmt.Println(serve(proxy, web.PlaygroundOptions{}))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func serve(proxy http.Handler, opts web.PlaygroundOptions) string {
	mux := http.NewServeMux()
	playground := web.Playground(opts)
	mux.Handle("/playground", playground)
	mux.Handle("/playground/", playground)
	mux.Handle("/", proxy)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, mux)) }()
	return "http://" + listener.Addr().String()
}
