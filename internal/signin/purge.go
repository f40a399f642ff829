package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"errand/ent/enum"
	"errand/ent/signinkey"
	"errand/ent/signinlink"
	"errand/ent/signinsession"
	"errand/ent/usedceremony"
)

// retention is how long the rows of ended sessions and links are kept. It is longer than revoked.Window.
const retention = 24 * time.Hour

// Purge deletes the viewer's sessions that ended more than a day ago. The viewer needs the scope account.
func (s *Service) Purge(ctx context.Context) error {
	before := s.timestamp().Add(-retention)
	_, err := s.client.SignInSession.Delete().
		Where(signinsession.Or(
			signinsession.RevokedAtLT(before),
			signinsession.ExpiresAtLT(before),
			signinsession.LastUsedAtLT(before.Add(-SessionIdleTTL)),
		)).
		Exec(ctx)
	if err != nil {
		return fmt.Errorf("deleting ended sessions: %w", err)
	}
	return nil
}

// PurgeShared deletes used and expired links, ceremonies and keys, and replaces the signing key once it is as old as
// keyLifetime. It does nothing before the first use of built-in accounts.
func (s *Service) PurgeShared(ctx context.Context) error {
	now, system := s.timestamp(), asSystem(ctx)
	keys, err := s.readKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading the signing keys: %w", err)
	}
	if keys == nil {
		return nil
	}
	errs := []error{s.purgeSetUp(ctx)}
	_, err = s.client.SignInLink.Delete().
		Where(signinlink.Or(signinlink.UsedAtLT(now.Add(-retention)), signinlink.ExpiresAtLT(now.Add(-retention)))).
		Exec(system)
	errs = append(errs, err)
	_, err = s.client.UsedCeremony.Delete().Where(usedceremony.ExpiresAtLT(now.Add(-CeremonyTTL))).Exec(system)
	errs = append(errs, err)
	_, err = s.client.SignInKey.Delete().Where(signinkey.RetiredAtLT(now.Add(-keyRetention))).Exec(system)
	errs = append(errs, err, s.RotateKey(ctx, keyLifetime))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("purging sign-in links, ceremonies and keys: %w", err)
	}
	return nil
}

// purgeSetUp deletes the links for the first account once there is an owner.
func (s *Service) purgeSetUp(ctx context.Context) error {
	exists, err := hasOwner(ctx, s.client.Login)
	if err != nil || !exists {
		return err
	}
	_, err = s.client.SignInLink.Delete().
		Where(signinlink.KindEQ(enum.LinkSetUp), signinlink.UsedAtIsNil()).
		Exec(asSystem(ctx))
	return err
}
