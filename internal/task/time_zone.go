package task

import (
	"context"
	"fmt"
	"time"

	"errand/ent"
	"errand/ent/user"
	"errand/internal/apperr"
	"errand/internal/viewer"
)

// maxTimeZone is the maximum length of the name of a time zone, in bytes.
const maxTimeZone = 64

// CheckTimeZone accepts IANA names only: the meaning of "" and "Local" depends on the machine.
func CheckTimeZone(name string) error {
	invalid := name == "" || name == "Local" || len(name) > maxTimeZone
	if !invalid {
		_, err := time.LoadLocation(name)
		invalid = err != nil
	}
	if invalid {
		return apperr.Invalid("timeZone", "A time zone must be an IANA name, such as \"Europe/Berlin\".")
	}
	return nil
}

// SetTimeZone sets the viewer's time zone, in which due dates are read and days begin. It is one statement of client,
// which may be that of a transaction.
func SetTimeZone(ctx context.Context, client *ent.Client, name string) error {
	v, err := viewer.Require(ctx, viewer.Account)
	if err != nil {
		return err
	}
	if err := CheckTimeZone(name); err != nil {
		return err
	}
	n, err := client.User.Update().Where(user.ID(v.UserID)).SetTimeZone(name).Save(ctx)
	if err != nil {
		return fmt.Errorf("storing the time zone: %w", err)
	}
	if n == 0 {
		return viewer.ErrAccountDeleted()
	}
	return nil
}

// SetTimeZone is the function SetTimeZone with the client of the operations.
func (o operations) SetTimeZone(ctx context.Context, name string) error {
	return SetTimeZone(ctx, o.client, name)
}
