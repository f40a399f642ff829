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
	"errand/internal/listen"
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
		llms.TextParts(llms.ChatMessageTypeSystem, "You keep a task list."),
		llms.TextParts(llms.ChatMessageTypeHuman, "Say hello in one word, then list the tasks with the tool list_tasks."),
	}
	response, err := model.GenerateContent(ctx, prompt, llms.WithTools([]llms.Tool{probeTool}))
	if err != nil {
		return failed(check, name+" did not respond: "+err.Error(), modelFix(err))
	}
	if len(response.Choices) > 0 && response.Choices[0].GenerationInfo[llm.InfoWrittenCalls] == true {
		return warning(check, name+" writes tool calls as text", "turn on the tool calls of its server: "+
			llm.WrittenCallsAdvice)
	}
	if len(response.Choices) == 0 ||
		strings.TrimSpace(response.Choices[0].Content) == "" && len(response.Choices[0].ToolCalls) == 0 {
		return warning(check, name+" returned an empty response", "choose another LLM_MODEL")
	}
	return passed(check, fmt.Sprintf("%s responded in %s", name, time.Since(started).Round(time.Millisecond)))
}

// modelFixes are the fixes of failures whose reason is known.
var modelFixes = map[llm.Reason]string{
	llm.ReasonWebPage: "set the base URL to the address of the API, not of its web site; behind a proxy with a sign-in, " +
		"exempt this server",
	llm.ReasonNotAnAPI:      "set the base URL to the address of the provider's API, such as https://host/v1 for OpenAI's",
	llm.ReasonRedirect:      "set the base URL to the address that it redirects to, unless that is a sign-in page",
	llm.ReasonPathNotFound:  "correct the path of the base URL; with OpenAI's API it ends in /v1",
	llm.ReasonModelNotFound: "check LLM_MODEL; with Ollama, run \"ollama pull\" with the model's name",
	llm.ReasonToolsRejected: "choose an LLM_MODEL that supports tools",
	llm.ReasonNoCredit:      "add credit to the account, raise its quota, or set LLM_FALLBACK",
	llm.ReasonContextLength: "set LLM_CONTEXT_TOKENS to the size of the model's context window, " +
		"or start the model with a larger one",
	llm.ReasonContentFilter: "relax the content filter of the provider's account, or choose another LLM_MODEL",
	llm.ReasonTokenLimit:    "choose another LLM_MODEL, or one that reasons less",
	llm.ReasonMalformedCall: "turn on the tool calls of the model's server: " + llm.WrittenCallsAdvice,
	llm.ReasonTLS: "add the certificate of the server's authority to those of this machine, " +
		"or correct the host of the base URL",
	llm.ReasonHTTPOnHTTPS: "change the base URL's beginning from https to http, or the reverse",
	llm.ReasonUnknownHost: "correct the host of the base URL, or check the DNS of this machine",
	llm.ReasonRefused:     "start the model's server, or correct its address in the base URL",
}

func modelFix(err error) string {
	if fix, ok := modelFixes[llm.ReasonOf(err)]; ok {
		return fix
	}
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
	err := listen.Check(variable, addr)
	if err == nil {
		return passed(check, addr+" is free")
	}
	if isErrand(ctx, addr) {
		return warning(check, "a running errand listens on "+addr, "nothing; to start a second server, set another "+variable+
			", and on SQLite another DATABASE_URL")
	}
	var cause *listen.Error
	if errors.As(err, &cause) {
		return failed(check, fmt.Sprintf("cannot listen on %s: it %s", addr, cause.Problem), cause.Fix)
	}
	return failed(check, err.Error(), "set another "+variable)
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
