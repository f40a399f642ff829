// Package config reads Errand's settings from the environment and a .env file, validates all of them, and
// reports all configuration errors together.
//
// The env tags of Config's fields are the only source of variable names and defaults. .env.example documents
// them for users; a test keeps it equal to the tags.
package config

import (
	"net/url"
	"os"
)

// Environment is the kind of deployment, which decides how strict the server is.
type Environment string

// The environments.
const (
	// Development allows sign-in under any name, on loopback only.
	Development Environment = "development"
	// Production has no development sign-in and disables introspection by default.
	Production Environment = "production"
)

// Config holds all settings. A Config that Load returned is valid.
type Config struct {
	// Environment is the kind of deployment.
	Environment Environment `env:"ENVIRONMENT" envDefault:"development"`

	Server      Server
	Connections Connections
	Database    Database
	Replicas    Replicas
	LLM         LLM
	Auth        Auth
	Runs        Runs
	Turns       Turns
	Limits      Limits
	Traces      Traces

	// Version and Commit are those of the program, which its commands set; they are not settings.
	Version, Commit string
}

// DotenvFile is the path of the file with settings, in the working directory.
const DotenvFile = ".env"

// Load reads and validates the settings. environ is the process environment (see Environ); it overrides the file
// at dotenvPath. A missing file is not an error, a malformed one is, and "" means no file. A variable with an
// empty value counts as unset. The error is of type Errors.
func Load(environ map[string]string, dotenvPath string) (Config, error) {
	errs := &Errors{}
	values := merge(environ, parseDotenvFile(dotenvPath, errs))

	var c Config
	parse(&c, values, errs)
	if _, isSet := values["DATABASE_URL"]; !isSet {
		c.Database.useAlias()
	}
	c.normalize()
	c.validate(errs)
	if len(*errs) > 0 {
		return Config{}, errs.sorted()
	}
	return c, nil
}

// Environ returns the environment of this process in the form that Load takes.
func Environ() map[string]string { return pairsToMap(os.Environ()) }

// Secrets returns all secret texts of the settings, including passwords within URLs, so that a report can
// redact them. Some may be "".
func (c Config) Secrets() []string {
	secrets := []string{
		c.LLM.OpenAIKey.Reveal(), c.LLM.GeminiKey.Reveal(), c.LLM.AnthropicKey.Reveal(),
		c.Auth.BetterAuthSecret.Reveal(), c.Auth.OIDCClientSecret.Reveal(), c.Replicas.NATSURL.Reveal(),
		c.Traces.OTLPHeaders.Reveal(),
	}
	for _, value := range c.Traces.TracesHeaders() {
		secrets = append(secrets, value)
	}
	for _, database := range []DatabaseURL{c.Database.URL, c.Database.NeonURL, c.Database.DirectURL} {
		for _, password := range database.passwords {
			secrets = append(secrets, password.Reveal(), url.QueryEscape(password.Reveal()))
		}
	}
	if u, err := url.Parse(c.Replicas.NATSURL.Reveal()); err == nil {
		password, _ := u.User.Password()
		secrets = append(secrets, password, url.QueryEscape(password))
	}
	return secrets
}

// normalize converts the settings to a canonical form before validation.
func (c *Config) normalize() {
	lower(&c.Environment)
	lower(&c.Database.RowSecurity)
	c.Server.normalize()
	c.LLM.normalize()
	c.Auth.normalize()
}

func (c *Config) validate(errs *Errors) {
	validateOneOf(errs, "ENVIRONMENT", c.Environment, Development, Production)
	c.Server.validate(errs)
	c.Connections.validate(errs)
	c.Database.validate(errs)
	c.Replicas.validate(errs)
	c.LLM.validate(errs)
	c.Auth.validate(errs, c.Environment)
	c.Runs.validate(errs)
	c.Turns.validate(errs)
	c.Limits.validate(errs)
	c.Traces.validate(errs)
}
