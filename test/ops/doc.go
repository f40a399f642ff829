// Package ops checks what installs and observes the server against the formats of Compose, Kubernetes and Prometheus, and
// against the program: names of settings, metrics and their labels, ports and paths.
package ops
