// Package config reads Errand's settings from the environment and a .env file,
// checks every one of them at start, and reports all faults together.
package config

import "os"

// Environment says how careful the server has to be.
type Environment string

// The environments.
const (
	// Development allows sign-in without an identity provider, on loopback only.
	Development Environment = "development"
	// Production demands configured authentication and hides introspection.
	Production Environment = "production"
)

// Config is everything that can be set, valid as a whole once Load returned it.
// Each variable is one field with an env tag; .env.example documents them all.
type Config struct {
	// Environment is Development unless said otherwise.
	Environment Environment `env:"ENVIRONMENT" envDefault:"development"`

	Server   Server
	Database Database
	Replicas Replicas
	LLM      LLM
	Auth     Auth
	Runs     Runs
	Turns    Turns
	Limits   Limits
	Traces   Traces
}

// Load reads the settings. environ is the real environment (see Environ) and wins
// over the file at dotenvPath; a missing file is fine, a malformed one is a fault,
// and "" names no file. An empty value counts as unset. The error is a Faults.
func Load(environ map[string]string, dotenvPath string) (Config, error) {
	faults := &Errors{}
	values := merge(environ, parseDotenvFile(dotenvPath, faults))

	var c Config
	parse(&c, values, faults)
	if _, chosen := values["DATABASE_URL"]; !chosen {
		c.Database.useAlias()
	}
	c.normalize()
	c.validate(faults)
	if len(*faults) > 0 {
		return Config{}, faults.sorted()
	}
	return c, nil
}

// Environ is the environment of this process, as Load takes it.
func Environ() map[string]string { return pairsToMap(os.Environ()) }

// normalize gives every setting its one spelling, before anything is checked.
func (c *Config) normalize() {
	lower(&c.Environment)
	lower(&c.Database.RowSecurity)
	c.Server.normalize()
	c.LLM.normalize()
	c.Auth.normalize()
}

func (c *Config) validate(f *Errors) {
	oneOf(f, "ENVIRONMENT", c.Environment, Development, Production)
	c.Server.validate(f)
	c.Database.validate(f)
	c.Replicas.validate(f)
	c.LLM.validate(f)
	c.Auth.validate(f, c.Environment)
	c.Runs.validate(f)
	c.Turns.validate(f)
	c.Limits.validate(f)
	c.Traces.validate(f)
	c.validateSignIn(f)
}
