package auth

import (
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// partyClaims are the claims that name the client a token was issued to: "azp" of OpenID Connect, "client_id" of
// RFC 9068 (and Cognito), "cid" of Okta and "appid" of Entra's version 1. The first that is present counts.
var partyClaims = []string{"azp", "client_id", "cid", "appid"}

// checkParty returns why a token is rejected where AUTH_AUTHORIZED_PARTIES is set, "" if it is accepted. An audience
// is then not required, because some issuers set none; one that is present must be accepted (RFC 7519 section 4.1.3).
func (r tokenRules) checkParty(claims jwt.MapClaims) Reason {
	party := partyOf(claims)
	if audience, err := claims.GetAudience(); party == nil && err == nil && len(audience) == 1 && audience[0] == r.client {
		party = r.client
	}
	if party == nil {
		return ReasonMissingClaim
	}
	name, _ := party.(string)
	if name == "" || name != r.client && !slices.Contains(r.parties, name) {
		return ReasonWrongParty
	}
	if claims["aud"] == nil {
		if r.audienceRequired {
			return ReasonMissingClaim
		}
		return ""
	}
	audience, err := claims.GetAudience()
	if err != nil {
		return ReasonBadClaim
	}
	accepted := func(a string) bool { return slices.Contains(r.audience, a) }
	if len(r.audience) > 0 && !slices.ContainsFunc(audience, accepted) {
		return ReasonWrongAudience
	}
	return ""
}
