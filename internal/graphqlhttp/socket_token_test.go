package graphqlhttp_test

import (
	"encoding/json"
	"testing"
	"time"

	"errand/internal/graphqlhttp/internal/fixture"

	"github.com/stretchr/testify/require"
)

func TestSocket_TokenExpires_NotifiedThenClosedWith4403(t *testing.T) {
	b := start(t, func(o *serverOptions) { o.HTTP.Socket.TokenNotice = 100 * time.Millisecond })
	c := b.ready("alice+200ms")
	c.subscribe("1", `subscription { idle }`)
	m := c.read()
	require.Equal(t, "ping", m.Type)
	var notice struct {
		Errand    string    `json:"errand"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
	require.NoError(t, json.Unmarshal(m.Payload, &notice))
	require.Equal(t, "token-expiring", notice.Errand)
	require.WithinDuration(t, time.Now(), notice.ExpiresAt, 2*time.Second)
	code, reason := c.closed()
	require.Equal(t, 4403, code)
	require.Equal(t, "Token expired", reason)
	receive(t, b.root.Ended, "the resolver to end")
}

func TestTokenRenewal_NewToken_SubscriptionsContinue(t *testing.T) {
	for _, kind := range []string{"ping", "pong"} {
		t.Run(kind, func(t *testing.T) {
			b := start(t, func(o *serverOptions) { o.HTTP.Socket.TokenNotice = time.Minute })
			c := b.ready("alice+150ms")
			c.subscribe("1", `subscription { topic(name: "a") { n } }`)
			require.Contains(t, string(c.read().Payload), "token-expiring")
			c.write(`{"type":"` + kind + `","payload":{"authorization":"Bearer alice"}}`)
			c.expect("pong", "", `{"errand":"token-accepted"}`)
			// The event arrives after the old token's expiry, which had no effect.
			time.AfterFunc(300*time.Millisecond, func() { b.root.Topic("a") <- &fixture.Event{N: 1} })
			c.expect("next", "1", `{"data":{"topic":{"n":1}}}`)
			c.subscribe("2", `{ me }`)
			require.Contains(t, string(c.read().Payload), `{"me":"alice"}`)
		})
	}
}

func TestTokenRenewal_InvalidToken_NothingChanges(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	for token, code := range map[string]string{"bob": "FORBIDDEN", "bad": "UNAUTHENTICATED"} {
		c.write(`{"type":"ping","payload":{"authorization":"Bearer ` + token + `"}}`)
		m := c.read()
		require.Equal(t, "pong", m.Type)
		require.Contains(t, string(m.Payload), "token-refused")
		require.Contains(t, string(m.Payload), code)
	}
	c.subscribe("1", `{ me }`)
	require.Contains(t, string(c.read().Payload), `{"me":"alice"}`)
}

func TestTokenRenewal_BeforeInit_Rejected(t *testing.T) {
	b := start(t, nil)
	c := b.dial("graphql-transport-ws")
	c.write(`{"type":"ping","payload":{"authorization":"Bearer alice"}}`)
	require.Contains(t, string(c.read().Payload), "token-refused")
	c.init("")
	c.closesWith(4401)
}

func TestTokenRenewal_NewTokenExpires_ClosedWith4403(t *testing.T) {
	b := start(t, nil)
	c := b.ready("alice")
	c.write(`{"type":"ping","payload":{"authorization":"Bearer alice+50ms"}}`)
	require.Contains(t, string(c.read().Payload), "expiresAt")
	code, _ := c.closed()
	require.Equal(t, 4403, code)
}

func TestAuthorization_ExpiredToken_Rejected(t *testing.T) {
	b := start(t, nil)
	a := b.query(`{ me }`, "", "Authorization", "Bearer alice+-1s")
	require.Equal(t, 401, a.status)
	require.Equal(t, "UNAUTHENTICATED", a.code())
	require.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer")
	c := b.dial("graphql-transport-ws")
	c.init("alice+-1s")
	c.closesWith(4403)
}

func TestAuthorization_Failure_TokenNotLogged(t *testing.T) {
	b := start(t, nil)
	b.query(`{ me }`, "", "Authorization", "Bearer broken+very-secret")
	require.Contains(t, b.logs.String(), "operation failed")
	require.NotContains(t, b.logs.String(), "very-secret")
}
