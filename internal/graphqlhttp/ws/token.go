package ws

import "strings"

// payloadToken returns the token in a connection_init, ping or pong payload, "" without one. Client libraries differ in
// where they put it: in the member authorization, Authorization or token, of the payload or of its member headers,
// and with or without "Bearer".
func payloadToken(payload map[string]any) string {
	for _, key := range []string{"authorization", "Authorization", "token"} {
		if value, ok := payload[key].(string); ok && value != "" {
			return withoutScheme(value)
		}
	}
	if headers, ok := payload["headers"].(map[string]any); ok {
		delete(headers, "headers") // only one level
		return payloadToken(headers)
	}
	return ""
}

// withoutScheme returns the token in "Bearer TOKEN" or "TOKEN".
func withoutScheme(value string) string {
	value = strings.TrimSpace(value)
	if scheme, token, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if strings.EqualFold(value, "Bearer") {
		return ""
	}
	return value
}
