package main

import (
	"fmt"
	"io"
	"strings"

	"errand/internal/config"
	"errand/internal/server"
	"errand/internal/telemetry"
)

// printBanner writes what a person needs to begin to the terminal, the standard error or else the standard output. It
// writes nothing if neither is a terminal, or if the log is always JSON.
func printBanner(inv *invocation, s *server.Server) {
	if s.Config.Server.LogFormat == config.LogJSON {
		return
	}
	for _, w := range []io.Writer{inv.stderr, inv.stdout} {
		if telemetry.IsTerminal(w) {
			_, _ = io.WriteString(w, banner(s.Config, bannerFacts{
				url:        s.PublicURL(),
				playground: s.PlaygroundURL(),
				model:      s.ModelName(),
				setUp:      s.SetUpURL(),
			})) // an error means that the terminal is gone
			return
		}
	}
}

// bannerFacts is what the banner contains besides the settings.
type bannerFacts struct {
	url, playground, model string
	// setUp is the link that creates the owner's account, "" if it is not needed.
	setUp string
}

func banner(cfg config.Config, facts bannerFacts) string {
	playground := facts.playground
	if playground == "" {
		playground = "off (PLAYGROUND)"
	}
	lines := []struct{ name, text string }{
		{"Open", facts.url + "/"},
		{"GraphQL", facts.url + "/graphql"},
		{"GraphiQL", playground},
		{"MCP", facts.url + "/mcp"},
		{"Sign-in", signInSummary(cfg)},
		{"Model", modelSummary(cfg, facts.model)},
		{"Database", cfg.Database.URL.String()},
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n  Errand %s (%s)\n\n", readBuildInfo().version, cfg.Environment)
	for _, line := range lines {
		fmt.Fprintf(&b, "  %-9s %s\n", line.name, line.text)
	}
	if facts.setUp != "" {
		fmt.Fprintf(&b, "\n  Open this link to create the owner's account. A restart makes a new one:\n  %s\n", facts.setUp)
	}
	b.WriteString("\n  Ctrl+C stops the server.\n\n")
	return b.String()
}

func signInSummary(cfg config.Config) string {
	switch {
	case cfg.DevelopmentSignIn():
		return "development: any name without a password (the page begins as alice)"
	case !cfg.Auth.Configured():
		return "built-in accounts"
	}
	var ways []string
	if cfg.Auth.OIDC() {
		ways = append(ways, "OpenID Connect at "+cfg.Auth.OIDCIssuer)
	}
	if cfg.Auth.JWKSURL != "" && cfg.Auth.VerifiesOthers() {
		ways = append(ways, "tokens of "+cfg.Auth.Issuer)
	}
	if cfg.Auth.BetterAuthSecret.IsSet() {
		ways = append(ways, "tokens signed with BETTER_AUTH_SECRET")
	}
	if cfg.LocalAccounts() {
		ways = append(ways, "built-in accounts")
	}
	return strings.Join(ways, ", ")
}

func modelSummary(cfg config.Config, name string) string {
	if cfg.LLM.Provider == config.Rules {
		return name + " (built in, offline; OPENAI_API_KEY, GEMINI_API_KEY or ANTHROPIC_API_KEY selects another)"
	}
	return name
}
