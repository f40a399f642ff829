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

	"errand/internal/config"
	"errand/internal/llm"
	"errand/internal/stream/natsbus"

	"github.com/tmc/langchaingo/llms"
)

// checkBus checks the NATS server, if one carries the events between replicas.
func checkBus(cfg config.Config) []Finding {
	if !cfg.Replicas.NATSURL.IsSet() {
		return nil
	}
	const check = "bus"
	if err := natsbus.Probe(cfg.Replicas.NATSURL.Reveal()); err != nil {
		return []Finding{failed(check, "NATS_URL did not respond: "+err.Error(),
			"start the NATS server, and check host, user and password in NATS_URL; or unset it to use PostgreSQL")}
	}
	return []Finding{passed(check, "NATS responded")}
}

// modelTimeout is the maximum duration of the model call.
const modelTimeout = 20 * time.Second

// probeTool is offered in the model call, because some models and servers reject tools.
var probeTool = llms.Tool{Type: "function", Function: &llms.FunctionDefinition{
	Name:        "list_tasks",
	Description: "Lists tasks.",
	Parameters:  map[string]any{"type": "object", "properties": map[string]any{}},
}}

// checkModel calls the model for a short reply.
func checkModel(ctx context.Context, o Options) Finding {
	const check = "model"
	model, name, err := o.OpenModel()
	if err != nil {
		return failed(check, err.Error(), "correct the setting")
	}
	ctx, cancel := context.WithTimeout(ctx, modelTimeout)
	defer cancel()
	started := time.Now()
	prompt := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "Current time: "+started.UTC().Format(time.RFC3339)+" (UTC)"),
		llms.TextParts(llms.ChatMessageTypeHuman, "Say hello in one word."),
	}
	response, err := model.GenerateContent(ctx, prompt, llms.WithTools([]llms.Tool{probeTool}))
	if err != nil {
		return failed(check, name+" did not respond: "+err.Error(), modelFix(err))
	}
	if len(response.Choices) == 0 ||
		strings.TrimSpace(response.Choices[0].Content) == "" && len(response.Choices[0].ToolCalls) == 0 {
		return warning(check, name+" returned an empty response", "choose another LLM_MODEL")
	}
	return passed(check, fmt.Sprintf("%s responded in %s", name, time.Since(started).Round(time.Millisecond)))
}

func modelFix(err error) string {
	switch llm.KindOf(err) {
	case llm.KindAuth:
		return "check the provider's key and the account's credit"
	case llm.KindRateLimit, llm.KindOverloaded:
		return "retry later, or set LLM_FALLBACK"
	case llm.KindTimeout:
		return "retry when the provider has loaded the model, or check the network"
	case llm.KindBadRequest:
		return "check LLM_MODEL: the provider may not have it, or it may not support tools"
	default:
		return "check the provider's address and the network"
	}
}

// checkPorts tries to listen on the addresses of the server.
func checkPorts(ctx context.Context, cfg config.Config) []Finding {
	findings := []Finding{checkPort(ctx, "ADDR", cfg.Server.Addr)}
	if cfg.Server.AdminAddr != config.AdminOff {
		findings = append(findings, checkAdminPort(ctx, cfg.Server.AdminAddr))
	}
	return findings
}

// checkAdminPort reports a loopback port in use as a warning, because a server then starts without metrics.
func checkAdminPort(ctx context.Context, addr string) Finding {
	f := checkPort(ctx, "ADMIN_ADDR", addr)
	if f.State == Failed && config.IsLoopbackAddr(addr) {
		f.State = Warning
		f.Fix = "nothing, if a running errand listens there; otherwise set another ADMIN_ADDR, " +
			"or the server starts without metrics"
	}
	return f
}

func checkPort(ctx context.Context, variable, addr string) Finding {
	check := "port of " + variable
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err == nil {
		_ = l.Close()
		return passed(check, addr+" is free")
	}
	if isErrand(ctx, addr) {
		return warning(check, "a running errand listens on "+addr, "nothing; to start a second server, set another "+variable+
			", and on SQLite another DATABASE_URL")
	}
	var cause *net.OpError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return failed(check, fmt.Sprintf("cannot listen on %s: %v", addr, err),
		"stop the program that listens there, or set another "+variable)
}

// isErrand reports whether an Errand server listens on addr, by the form of its /health response.
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
