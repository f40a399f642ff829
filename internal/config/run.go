package config

import "time"

// Runs are the settings of the run engine, which generates replies.
type Runs struct {
	// Lease is how long a claimed run belongs to a replica without a renewal, 100ms to 10m. The runs of a
	// suspended replica are claimed by others within Lease + Sweep, and so are those of a killed one without a session
	// lock.
	Lease time.Duration `env:"RUN_LEASE" envDefault:"15s"`
	// Sweep is the interval of the search for runs to claim, 10ms to 1m and below Lease.
	Sweep time.Duration `env:"RUN_SWEEP" envDefault:"1s"`
	// MaxAttempts is the number of attempts after which a reply fails, 1 to 20.
	MaxAttempts int `env:"RUN_MAX_ATTEMPTS" envDefault:"5"`
	// Concurrency is the number of replies that this server generates at the same time, 1 to 10000.
	Concurrency int `env:"RUN_CONCURRENCY" envDefault:"64"`
}

func (r *Runs) validate(errs *Errors) {
	validateRange(errs, "RUN_LEASE", r.Lease, 100*time.Millisecond, 10*time.Minute)
	validateRange(errs, "RUN_SWEEP", r.Sweep, 10*time.Millisecond, time.Minute)
	if r.Sweep >= r.Lease && !errs.has("RUN_LEASE") {
		errs.add("RUN_SWEEP", "is not shorter than RUN_LEASE", "a duration below RUN_LEASE")
	}
	validateRange(errs, "RUN_MAX_ATTEMPTS", r.MaxAttempts, 1, 20)
	validateRange(errs, "RUN_CONCURRENCY", r.Concurrency, 1, 10_000)
}

// Turns are the limits of the agent for one reply.
type Turns struct {
	// MaxSteps is the number of model calls, 1 to 64.
	MaxSteps int `env:"TURN_MAX_STEPS" envDefault:"8"`
	// MaxToolCalls is the number of tool calls, 1 to 256.
	MaxToolCalls int `env:"TURN_MAX_TOOL_CALLS" envDefault:"16"`
	// TurnTimeout is the maximum duration of a reply, without the waits for the model's first words, 1s to 1h.
	TurnTimeout time.Duration `env:"TURN_TIMEOUT" envDefault:"2m"`
	// MaxChars is the length at which a reply ends, in UTF-16 code units, 1000 to 10000000.
	MaxChars int `env:"REPLY_MAX_CHARS" envDefault:"200000"`
	// MaxChanges is the number of existing tasks that may be completed, reopened, changed or deleted without the user's
	// approval, 0 to 256.
	MaxChanges int `env:"TURN_MAX_CHANGES_AFTER_READING" envDefault:"5"`
	// ApprovalTTL is how long the user may approve a tool call, 1m to 720h.
	ApprovalTTL time.Duration `env:"APPROVAL_TTL" envDefault:"24h"`
	// TokensPerTurn and TokensPerDay limit the tokens of one reply and of one user per UTC day, up to 1000000000;
	// 0 means no limit.
	TokensPerTurn int `env:"TOKENS_PER_TURN" envDefault:"0"`
	TokensPerDay  int `env:"TOKENS_PER_DAY" envDefault:"0"`
}

func (t *Turns) validate(errs *Errors) {
	validateRange(errs, "TURN_MAX_STEPS", t.MaxSteps, 1, 64)
	validateRange(errs, "TURN_MAX_TOOL_CALLS", t.MaxToolCalls, 1, 256)
	validateRange(errs, "REPLY_MAX_CHARS", t.MaxChars, 1000, 10_000_000)
	validateRange(errs, "TURN_MAX_CHANGES_AFTER_READING", t.MaxChanges, 0, 256)
	validateRange(errs, "APPROVAL_TTL", t.ApprovalTTL, time.Minute, 720*time.Hour)
	validateRange(errs, "TOKENS_PER_TURN", t.TokensPerTurn, 0, 1_000_000_000)
	validateRange(errs, "TOKENS_PER_DAY", t.TokensPerDay, 0, 1_000_000_000)
	validateRange(errs, "TURN_TIMEOUT", t.TurnTimeout, time.Second, time.Hour)
}
