package graph

//go:generate go run -mod=mod ./gen
