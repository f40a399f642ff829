package main

import (
	"context"
	"errors"
	"fmt"

	"errand/internal/auth"
)

// runToken prints a token of the development sign-in, and nothing else, to stdout.
func runToken(_ context.Context, inv invocation) error {
	flags := newFlags(inv)
	user := flags.String("user", "", "user name: 1 to 64 letters, digits and . _ - @")
	ttl := flags.Duration("ttl", auth.DevTokenTTL, "lifetime of the token, at most 366 days")
	if err := flags.Parse(inv.args); err != nil {
		return err
	}
	if *user == "" {
		return errors.New("--user is required: errand token --user alice")
	}
	cfg, err := loadConfig(inv.environ)
	if err != nil {
		return err
	}
	signer, err := auth.OpenDevSigner(cfg)
	if err != nil {
		return err
	}
	token, _, err := signer.Token(*user, *ttl)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(inv.stdout, token)
	return err
}
