package apitoken

import (
	"time"

	"errand/ent/apitoken"
	"errand/ent/predicate"
)

// liveAt selects tokens that are neither revoked nor expired at a time.
func liveAt(now time.Time) predicate.APIToken {
	return apitoken.And(
		apitoken.RevokedAtIsNil(),
		apitoken.Or(apitoken.ExpiresAtIsNil(), apitoken.ExpiresAtGT(now)),
	)
}
