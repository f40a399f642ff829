package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
)

// checkSignIn checks the source of the keys that verify tokens, and what tokens are accepted.
func checkSignIn(ctx context.Context, cfg config.Config) []Finding {
	findings := append(checkKeys(ctx, cfg), checkProvider(ctx, cfg)...)
	if cfg.Auth.Configured() && cfg.Auth.SharesAudience() && !cfg.Auth.RequireScopes {
		findings = append(findings, warning("sign-in scopes",
			"AUTH_AUDIENCE and AUTH_MCP_AUDIENCE are equal or overlap: an assistant's token without scopes may do everything "+
				"on /graphql",
			"let the issuer give tokens for /mcp an audience of their own and set AUTH_MCP_AUDIENCE to it; "+
				"or let it issue scopes and set AUTH_REQUIRE_SCOPES=true"))
	}
	return findings
}

func checkKeys(ctx context.Context, cfg config.Config) []Finding {
	const check = "sign-in"
	switch {
	case cfg.Auth.SharesIssuer() && cfg.Auth.JWKSURL == "":
		return nil // checkProvider
	case cfg.Auth.JWKSURL != "":
		findings := append(checkJWKS(ctx, cfg), checkIssuer(ctx, cfg)...)
		if cfg.Auth.AcceptsAnyAudience() {
			findings = append(findings, warning("sign-in audience",
				"tokens for any audience are accepted, also those that the issuer signed for other applications",
				"set AUTH_AUDIENCE, or AUTH_AUTHORIZED_PARTIES if tokens have no audience; "+
					"nothing, if the keys of AUTH_JWKS_URL sign tokens for this application only"))
		}
		return findings
	case cfg.Auth.BetterAuthSecret.IsSet():
		return []Finding{warning(check,
			"tokens are verified with BETTER_AUTH_SECRET, which can also sign tokens for any user",
			"use the identity provider's published keys: set AUTH_JWKS_URL")}
	case cfg.Auth.OIDC():
		return nil
	case cfg.LocalAccounts():
		return []Finding{passed(check, "built-in accounts")}
	default:
		return []Finding{warning(check, "development sign-in: anyone on this machine may sign in as any user",
			"set AUTH=local, or an identity provider, before the server is used by others")}
	}
}

// checkProvider checks the OpenID Connect provider, and names the address that it must redirect to.
func checkProvider(ctx context.Context, cfg config.Config) []Finding {
	const check = "sign-in provider"
	if !cfg.Auth.OIDC() {
		return nil
	}
	provider, named, err := auth.ProbeProvider(ctx, cfg.Auth.OIDCIssuer)
	switch {
	case named != "":
		return []Finding{failed(check, err.Error(), "set AUTH_OIDC_ISSUER="+named+
			" (users are identified by the issuer in their tokens)")}
	case err != nil:
		return []Finding{failed(check, "AUTH_OIDC_ISSUER cannot be used: "+err.Error(),
			"start the identity provider, check that this machine can reach it, and that AUTH_OIDC_ISSUER followed by "+
				"/.well-known/openid-configuration is its discovery document")}
	}
	findings := []Finding{passed(check, "OpenID Connect at "+cfg.Auth.OIDCIssuer)}
	if cfg.Server.PublicURL == "" && cfg.Environment == config.Production {
		findings = append(findings, warning("sign-in redirect",
			"PUBLIC_URL is not set: the address to which the provider redirects is derived from each request",
			"set PUBLIC_URL, and allow the redirect address PUBLIC_URL/auth/callback at the provider"))
	}
	if cfg.Auth.JWKSURL != "" {
		return findings
	}
	report, err := auth.ProbeJWKS(ctx, provider.Keys)
	if err != nil {
		return append(findings, failed("sign-in keys", "the keys of AUTH_OIDC_ISSUER cannot be used: "+err.Error(),
			auth.JWKSAdvice(err)))
	}
	return append(append(findings, passed("sign-in keys", fmt.Sprintf("%d usable, of the issuer %s", report.Keys,
		cfg.Auth.OIDCIssuer))), skippedKeys(report.Skipped)...)
}

func checkJWKS(ctx context.Context, cfg config.Config) []Finding {
	const check = "sign-in keys"
	report, err := auth.ProbeJWKS(ctx, cfg.Auth.JWKSURL)
	if err != nil {
		return append(
			[]Finding{failed(check, "AUTH_JWKS_URL returned no keys, so that no token can be verified: "+err.Error(),
				auth.JWKSAdvice(err))},
			skippedKeys(report.Skipped)...)
	}
	findings := []Finding{
		passed(check, fmt.Sprintf("%d usable, of the issuer %s", report.Keys, cfg.Auth.Issuer)),
	}
	findings = append(findings, skippedKeys(report.Skipped)...)
	if report.ClockKnown {
		// The Date header has a resolution of a second, so a leeway of 0 would always give a warning.
		findings = append(findings, clockFinding("sign-in clock", report.ClockAhead, max(cfg.Auth.Leeway, 2*time.Second)))
	}
	return findings
}

// skippedKeys returns a warning for each published key that is not used, except those for encryption.
func skippedKeys(skipped []auth.SkippedKey) []Finding {
	var findings []Finding
	for _, key := range skipped {
		if !key.Expected {
			findings = append(findings, warning("sign-in key", fmt.Sprintf("key %q is not used: %s", key.ID, key.Reason),
				"nothing, unless tokens are signed with this key; then let the identity provider sign with another"))
		}
	}
	return findings
}

// checkIssuer compares AUTH_ISSUER with the name that the issuer gives itself, if it publishes one.
func checkIssuer(ctx context.Context, cfg config.Config) []Finding {
	const check = "sign-in issuer"
	named, ok := auth.ProbeIssuer(ctx, cfg.Auth.Issuer)
	switch {
	case !ok:
		return nil
	case named == cfg.Auth.Issuer:
		return []Finding{passed(check, "AUTH_ISSUER is the name that the issuer gives itself")}
	}
	detail := fmt.Sprintf("AUTH_ISSUER is %s, but the issuer names itself %s, so that its tokens are refused",
		cfg.Auth.Issuer, named)
	if strings.TrimRight(named, "/") == strings.TrimRight(cfg.Auth.Issuer, "/") {
		detail += " (the slash at the end counts)"
	}
	return []Finding{warning(check, detail, "set AUTH_ISSUER="+named+
		" (also after users have signed in: users are identified by the issuer in their tokens)")}
}
