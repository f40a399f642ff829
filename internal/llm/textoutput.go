package llm

import (
	"context"
	"net/url"
	"strings"
)

// textOutput is the text of a response on its way to the user.
type textOutput struct {
	filter textFilter
	text   strings.Builder // text that was passed on, in both calls of [Client.GenerateContent]
	// start is the length of the text of the previous call, and separator what precedes further text.
	start     int
	separator string
	hold      holdState
	held      strings.Builder
	// misplacedCall means that the text has a tool call beside other text, which is not executed.
	misplacedCall bool
	// wroteCalls means that there was a tool call in the text.
	wroteCalls bool
}

// holdState is whether text is held back because it may turn out to be reasoning without an opening tag.
type holdState int

const (
	holdUndecided holdState = iota
	holdText
	holdNothing
)

func (c *Client) newResponse(o Options, previous *Response) *Response {
	r := &Response{client: c, onText: o.OnText, tools: o.Tools, noToolCalls: o.NoToolCalls}
	r.filter.tools = o.Tools
	switch {
	case o.OnText == nil:
		r.hold = holdNothing // the text can still be withdrawn
	case c.unopened.Load():
		r.hold = holdText
	case isVendor(c.config.BaseURL):
		r.hold = holdNothing
	}
	if previous != nil {
		r.text.WriteString(previous.text.String())
		r.start, r.wroteCalls = r.text.Len(), true
		if !r.isBlank(r.text.String()) {
			r.separator = stepSeparator
		}
	}
	return r
}

func (*textOutput) isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// isVendor reports whether a base URL is that of a vendor whose API separates reasoning from text.
func isVendor(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	switch u.Hostname() {
	case "api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com":
		return true
	default:
		return false
	}
}

// AddText appends text to the response, without reasoning, and passes it to the streaming function. The chunks passed
// on are, joined, exactly the content of the response. Text that may be reasoning or a tool call is passed on later or
// never.
func (r *Response) AddText(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	if ctx.Err() != nil {
		return r.client.contextError(ctx)
	}
	return r.addVisible(ctx, r.filter.add(text, false))
}

// addVisible adds text that the filter has returned.
func (r *Response) addVisible(ctx context.Context, text string) error {
	if r.filter.unopened {
		r.filter.unopened = false
		if err := r.withdraw(); err != nil {
			return err
		}
	}
	if r.hold == holdNothing || text == "" {
		return r.emit(ctx, text)
	}
	r.held.WriteString(text)
	if r.hold == holdUndecided {
		r.hold = looksLikeReasoning(r.held.String())
	}
	if r.hold == holdNothing {
		return r.emit(ctx, r.held.String())
	}
	return nil
}

// withdraw drops the text so far, which was reasoning. Text that was passed on cannot be withdrawn: the call fails, and
// the client holds the text of further calls back until their reasoning ends.
func (r *Response) withdraw() error {
	r.client.unopened.Store(true)
	r.hold = holdNothing
	r.held.Reset()
	if r.onText != nil && !r.isBlank(r.text.String()[r.start:]) {
		return r.client.newError(KindTruncated, "reasoning without an opening tag was passed on as text")
	}
	kept := r.text.String()[:r.start]
	r.text.Reset()
	r.text.WriteString(kept)
	return nil
}

// emit passes text on.
func (r *Response) emit(ctx context.Context, text string) error {
	if text == "" {
		return nil
	}
	if r.separator != "" {
		text, r.separator = r.separator+text, ""
	}
	r.text.WriteString(text)
	if r.onText == nil {
		return nil
	}
	if err := r.onText(ctx, []byte(text)); err != nil {
		e := r.client.newError(KindCancelled, "the streaming function returned an error")
		e.cause = err
		return e
	}
	return nil
}

// finish ends a complete response: it decides about the text that was held back.
func (r *Response) finish(ctx context.Context, d Decoder) error {
	d.Finish()
	if err := r.addVisible(ctx, r.filter.add("", true)); err != nil {
		return err
	}
	held := r.held.String()
	cut := r.StopReason == StopLength && r.client.unopened.Load() // within reasoning
	if r.hold != holdNothing && !cut {
		if err := r.emit(ctx, held); err != nil {
			return err
		}
	}
	return r.finishCalls(ctx)
}

// finishCalls decides about text that began like a tool call. If the whole text is calls, they are executed. A call
// beside other text is not: the text may quote it.
func (r *Response) finishCalls(ctx context.Context) error {
	captured := r.filter.captured.String()
	if captured == "" {
		return nil
	}
	calls, complete := parseWrittenCalls(captured, r.tools)
	isCall := len(calls) > 0 || hasCallMarker(captured)
	if !isCall {
		return r.emit(ctx, captured)
	}
	r.wroteCalls = true
	r.client.warnOnce("written calls", "the model writes tool calls as text: set the tool call parser of its server",
		"advice", WrittenCallsAdvice)
	switch {
	case len(r.toolCalls) > 0 || r.StopReason == StopLength:
		return nil
	case complete && !r.noToolCalls && r.isBlank(r.text.String()[r.start:]):
		for _, c := range calls {
			r.AddToolCall("", c.Name, c.Arguments)
		}
		r.StopReason = StopToolCalls
	default:
		r.misplacedCall = true
		if r.StopReason == StopToolCalls {
			r.StopReason = StopEnd
		}
	}
	return nil
}

// WrittenCallsAdvice names the settings of model servers that make tool calls out of their text.
const WrittenCallsAdvice = "vLLM: --enable-auto-tool-choice and --tool-call-parser; llama.cpp: --jinja; " +
	"SGLang: --tool-call-parser; Ollama and LM Studio: a model whose template supports tools"

// withCall returns the text of the response with the call in it.
func (r *Response) withCall() string { return r.text.String() + r.filter.captured.String() }

// hasCallMarker reports whether text begins with the markup of a tool call.
func hasCallMarker(text string) bool {
	lower := asciiLower(text[:min(len(text), 64)])
	for _, marker := range callMarkers {
		if strings.HasPrefix(lower, marker) {
			return true
		}
	}
	return false
}

// reasoningStarts are beginnings of text, in lower case, that are hardly ever those of an answer.
var reasoningStarts = []string{
	"okay, the user", "ok, the user", "okay, so", "okay, let", "okay, i need", "alright, the user", "alright, let",
	"alright, so", "hmm,", "hmm.", "the user wants", "the user is", "the user asks", "the user asked", "the user said",
	"the user has", "the user just", "the user needs", "user wants", "user asks", "we need to", "we have to", "we should",
	"let me think", "let's think", "i need to figure", "first, i need", "first, i should", "first, the user",
	"so the user", "so, the user", "thinking process", "好的，用户", "嗯，", "用户",
}

// looksLikeReasoning reports whether text begins like reasoning: it is then held back until a closing tag or the end.
func looksLikeReasoning(text string) holdState {
	text = asciiLower(strings.TrimLeft(text, " \t\r\n"))
	state := holdNothing
	if text == "" {
		return holdUndecided
	}
	for _, start := range reasoningStarts {
		if strings.HasPrefix(text, start) {
			return holdText
		}
		if strings.HasPrefix(start, text) {
			state = holdUndecided
		}
	}
	return state
}
