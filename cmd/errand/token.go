package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
)

// tokenCommand prints a token of the development sign-in, alone on stdout.
func tokenCommand(args []string, environ map[string]string, stdout, stderr io.Writer) error {
	flags := newFlags("token", stderr)
	user := flags.String("user", "", "whose token: 1 to 64 letters, digits and . _ - @")
	ttl := flags.Duration("ttl", 24*time.Hour, "how long it is valid")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *user == "" {
		return errors.New("say whose token: errand token --user alice")
	}
	cfg, err := config.Load(environ, ".env")
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
	_, err = fmt.Fprintln(stdout, token)
	return err
}
