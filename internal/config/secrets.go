package config

import "net/url"

// Secrets are the texts that must never be shown, for whoever strikes them out of
// output as a last resort.
func (c Config) Secrets() []string {
	list := []string{
		c.LLM.OpenAIKey.Reveal(), c.LLM.GeminiKey.Reveal(), c.LLM.AnthropicKey.Reveal(),
		c.Auth.BetterAuthSecret.Reveal(), c.Replicas.NATSURL.Reveal(), c.Traces.OTLPHeaders.Reveal(),
	}
	for _, value := range c.Traces.TracesHeaders() {
		list = append(list, value)
	}
	for _, address := range []string{c.Database.URL.Reveal(), c.Database.NeonURL.Reveal(), c.Replicas.NATSURL.Reveal()} {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		password, _ := u.User.Password()
		list = append(list, password, url.QueryEscape(password), u.Query().Get("password"), u.Query().Get("sslpassword"))
	}
	return list
}
