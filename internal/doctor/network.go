package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"errand/internal/auth"
	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/stream/natsbus"

	"github.com/tmc/langchaingo/llms"
)

// checkSignIn looks at where tokens come from.
func checkSignIn(ctx context.Context, cfg config.Config) []Finding {
	switch {
	case cfg.Auth.JWKSURL != "":
		return checkKeys(ctx, cfg)
	case cfg.Auth.BetterAuthSecret.IsSet():
		return []Finding{{
			"sign-in", Warning, "tokens are verified with BETTER_AUTH_SECRET: whoever knows it can sign for anybody",
			"prefer the identity provider's published keys: AUTH_JWKS_URL",
		}}
	default:
		return []Finding{{
			"sign-in", Warning, "development sign-in: anyone on this machine may be anybody",
			"before others come near, set AUTH_JWKS_URL",
		}}
	}
}

func checkKeys(ctx context.Context, cfg config.Config) []Finding {
	const check = "sign-in keys"
	report, err := auth.ProbeJWKS(ctx, cfg.Auth.JWKSURL)
	if err != nil {
		return []Finding{
			{
				check,
				Failed,
				"AUTH_JWKS_URL gives no keys: " + err.Error(),
				"start the identity provider, and open the address from this machine",
			},
		}
	}
	found := []Finding{
		{Check: check, State: OK, Found: fmt.Sprintf("%d usable, of the issuer %s", report.Keys, cfg.Auth.Issuer)},
	}
	if report.ClockKnown {
		// The header is cut to seconds, so a leeway of 0 would always warn.
		found = append(found, clockFinding("sign-in clock", report.ClockAhead, max(cfg.Auth.Leeway, 2*time.Second)))
	}
	return found
}

// checkBus looks at what carries events between replicas, where that is not the database.
func checkBus(cfg config.Config) []Finding {
	if !cfg.Replicas.NATSURL.IsSet() {
		return nil
	}
	const check = "bus"
	if err := natsbus.Probe(cfg.Replicas.NATSURL.Reveal()); err != nil {
		return []Finding{
			{
				check,
				Failed,
				"NATS_URL does not answer: " + err.Error(),
				"start the NATS server, and check host, user and password in NATS_URL; or leave it out, and PostgreSQL carries events",
			},
		}
	}
	return []Finding{{Check: check, State: OK, Found: "NATS answers"}}
}

// modelTimeout is how long a tiny answer may take.
const modelTimeout = 20 * time.Second

// probeTool goes with the question because replies offer tools too, and some models or
// servers take none.
var probeTool = llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
	Name: "list_tasks", Description: "Lists tasks.", Parameters: map[string]any{"type": "object", "properties": map[string]any{}},
}}

// checkModel asks the model for one word.
func checkModel(ctx context.Context, o Options) Finding {
	const check = "model"
	model, name, err := o.OpenModel()
	if err != nil {
		return Finding{check, Failed, err.Error(), "correct the setting"}
	}
	ctx, cancel := context.WithTimeout(ctx, modelTimeout)
	defer cancel()
	started := time.Now()
	prompt := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Current time: "+started.UTC().Format(time.RFC3339)+" (UTC)"),
		llms.TextParts(llms.ChatMessageTypeHuman, "Say hello in one word."),
	}
	answer, err := model.GenerateContent(ctx, prompt, llms.WithTools([]llms.Tool{probeTool}))
	if err != nil {
		return Finding{check, Failed, name + " does not answer: " + err.Error(), modelFix(err)}
	}
	if len(answer.Choices) == 0 ||
		strings.TrimSpace(answer.Choices[0].Content) == "" && len(answer.Choices[0].ToolCalls) == 0 {
		return Finding{check, Warning, name + " answers without a word", "try another LLM_MODEL"}
	}
	return Finding{
		Check: check,
		State: OK,
		Found: fmt.Sprintf("%s answers after %s", name, time.Since(started).Round(time.Millisecond)),
	}
}

func modelFix(err error) string {
	switch llm.KindOf(err) {
	case llm.KindAuth:
		return "check the provider's key, and its account's credit"
	case llm.KindRateLimit, llm.KindOverloaded:
		return "wait a little, or name an LLM_FALLBACK"
	case llm.KindTimeout:
		return "try again when it has loaded the model, or look at the way to it"
	case llm.KindBadRequest:
		return "check LLM_MODEL: the provider may not know it, or it may take no tools"
	default:
		return "check the provider's address and the way to it"
	}
}

// checkPorts tries to listen where the server will.
func checkPorts(ctx context.Context, cfg config.Config) []Finding {
	found := []Finding{checkPort(ctx, "ADDR", cfg.Server.Addr)}
	if cfg.Server.AdminAddr != config.AdminOff {
		found = append(found, checkAdminPort(ctx, cfg.Server.AdminAddr))
	}
	return found
}

// checkAdminPort knows that a server does without its metrics where their loopback port is taken.
func checkAdminPort(ctx context.Context, addr string) Finding {
	f := checkPort(ctx, "ADMIN_ADDR", addr)
	if f.State == Failed && config.IsLoopbackAddr(addr) {
		f.State, f.Fix = Warning, "nothing if a running errand listens there; else a server here starts without metrics, unless it gets another ADMIN_ADDR"
	}
	return f
}

func checkPort(ctx context.Context, variable, addr string) Finding {
	check := "port of " + variable
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err == nil {
		_ = l.Close()
		return Finding{Check: check, State: OK, Found: addr + " is free"}
	}
	if isErrand(ctx, addr) {
		return Finding{
			check,
			Warning,
			"a running errand listens on " + addr,
			"nothing, unless a second one is meant to start",
		}
	}
	var cause *net.OpError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return Finding{
		check,
		Failed,
		fmt.Sprintf("cannot listen on %s: %v", addr, err),
		"stop what listens there, or choose another " + variable,
	}
}

// isErrand asks whoever listens whether it is alive in our words.
func isErrand(ctx context.Context, addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return false
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	var health struct {
		DatabaseOK *bool `json:"database_ok"`
	}
	return json.NewDecoder(response.Body).Decode(&health) == nil && health.DatabaseOK != nil
}
