package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"errand/internal/auth"
	"errand/internal/viewer"
)

// runToken prints a token of the development sign-in, and nothing else, to stdout.
func runToken(_ context.Context, inv invocation) error {
	flags := newFlags(inv)
	user := flags.String("user", "", "user name: 1 to 64 letters, digits and . _ - @")
	ttl := flags.Duration("ttl", auth.DevTokenTTL, "lifetime of the token, at most 366 days")
	names := flags.String("scopes", "", "scopes to limit the token to, separated by spaces; empty for no limit")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	if *user == "" {
		return errors.New("--user is required: errand token --user alice")
	}
	scopes, err := parseScopes(*names)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(inv.environ)
	if err != nil {
		return err
	}
	signer, err := auth.OpenDevSigner(cfg)
	if err != nil {
		return err
	}
	token, _, err := signer.Token(*user, *ttl, scopes...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(inv.stdout, token)
	return err
}

// parseScopes returns the scopes in a text that separates them by spaces.
func parseScopes(names string) (scopes []viewer.Scope, err error) {
	for name := range strings.FieldsSeq(names) {
		if !slices.Contains(viewer.AllScopes(), viewer.Scope(name)) {
			return nil, fmt.Errorf("--scopes: %q is not one of %v", name, viewer.AllScopes())
		}
		scopes = append(scopes, viewer.Scope(name))
	}
	return scopes, nil
}
