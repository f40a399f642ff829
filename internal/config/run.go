package config

import "time"

// Runs is the engine that carries out replies.
type Runs struct {
	// Lease is how long a claim holds without a heartbeat, 100ms to 10m: a killed
	// server's replies are taken up after at most Lease + Sweep.
	Lease time.Duration `env:"RUN_LEASE" envDefault:"15s"`
	// Sweep is how often work is looked for when nothing announces it, 10ms to 1m and below Lease.
	Sweep time.Duration `env:"RUN_SWEEP" envDefault:"1s"`
	// MaxAttempts is after how many tries a reply fails for good, 1 to 20.
	MaxAttempts int `env:"RUN_MAX_ATTEMPTS" envDefault:"5"`
	// Concurrency is how many replies this server writes at once, 1 to 10000.
	Concurrency int `env:"RUN_CONCURRENCY" envDefault:"64"`
}

func (r *Runs) validate(f *Errors) {
	between(f, "RUN_LEASE", r.Lease, 100*time.Millisecond, 10*time.Minute)
	between(f, "RUN_SWEEP", r.Sweep, 10*time.Millisecond, time.Minute)
	if r.Sweep >= r.Lease && !f.has("RUN_LEASE") {
		f.add("RUN_SWEEP", "is not shorter than RUN_LEASE", "less than RUN_LEASE")
	}
	between(f, "RUN_MAX_ATTEMPTS", r.MaxAttempts, 1, 20)
	between(f, "RUN_CONCURRENCY", r.Concurrency, 1, 10_000)
}

// Turns bounds what the agent may spend on one reply.
type Turns struct {
	// MaxSteps is how often the model may be asked, 1 to 64.
	MaxSteps int `env:"TURN_MAX_STEPS" envDefault:"8"`
	// MaxToolCalls is how many tools may be called, 1 to 256.
	MaxToolCalls int `env:"TURN_MAX_TOOL_CALLS" envDefault:"16"`
	// TurnTimeout is how long it may take in all, 1s to 1h.
	TurnTimeout time.Duration `env:"TURN_TIMEOUT" envDefault:"2m"`
	// MaxChanges is how many tasks may be changed or deleted that the person did not name by
	// number, once text was read that somebody stored, 0 to 256.
	MaxChanges int `env:"TURN_MAX_CHANGES_AFTER_READING" envDefault:"5"`
	// TokensPerTurn and TokensPerDay bound one reply, and one person's UTC day; 0 is no
	// limit. Up to 1000000000.
	TokensPerTurn int `env:"TOKENS_PER_TURN" envDefault:"0"`
	TokensPerDay  int `env:"TOKENS_PER_DAY" envDefault:"0"`
}

func (t *Turns) validate(f *Errors) {
	between(f, "TURN_MAX_STEPS", t.MaxSteps, 1, 64)
	between(f, "TURN_MAX_TOOL_CALLS", t.MaxToolCalls, 1, 256)
	between(f, "TURN_MAX_CHANGES_AFTER_READING", t.MaxChanges, 0, 256)
	between(f, "TOKENS_PER_TURN", t.TokensPerTurn, 0, 1_000_000_000)
	between(f, "TOKENS_PER_DAY", t.TokensPerDay, 0, 1_000_000_000)
	between(f, "TURN_TIMEOUT", t.TurnTimeout, time.Second, time.Hour)
}
