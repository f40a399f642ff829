package graphqlhttp_test

import (
	"testing"

	"errand/internal/config"
	"errand/internal/graphqlhttp"
	"errand/internal/graphqlhttp/exec"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"
)

// The defaults of .env.example, of package config and of the options are equal.
func TestOptions_Zero_HaveDefaultsOfConfiguration(t *testing.T) {
	var configured config.Limits
	require.NoError(t, env.ParseWithOptions(&configured, env.Options{Environment: map[string]string{}}))
	engine, handler := exec.Options{}.WithDefaults(), graphqlhttp.Options{}.WithDefaults()
	got := config.Limits{
		RepliesPerUser:         configured.RepliesPerUser,
		MessagesPerMinute:      configured.MessagesPerMinute,
		MCPCallsPerMinute:      configured.MCPCallsPerMinute,
		MutationsPerMinute:     configured.MutationsPerMinute,
		TasksPerUser:           configured.TasksPerUser,
		ConversationsPerUser:   configured.ConversationsPerUser,
		BytesPerUser:           configured.BytesPerUser,
		TrashDays:              configured.TrashDays,
		PurgeInterval:          configured.PurgeInterval,
		BodyBytes:              int(handler.BodyBytes),
		SocketMessageBytes:     int(handler.Socket.MessageBytes),
		ResponseBytes:          engine.ResponseBytes,
		RequestTimeout:         engine.OperationTimeout,
		QueryTokens:            engine.Limits.Tokens,
		QueryDepth:             engine.Limits.Depth,
		QueryFields:            engine.Limits.Fields,
		QueryRootFields:        engine.Limits.RootFields,
		QueryAliases:           engine.Limits.Aliases,
		QueryDirectives:        engine.Limits.Directives,
		QueryFragments:         engine.Limits.Fragments,
		QueryComplexity:        engine.Limits.Cost,
		RequestsPerUser:        handler.RequestsPerUser,
		SocketsPerUser:         handler.Socket.SocketsPerUser,
		SubscriptionsPerSocket: handler.Socket.OperationsPerSocket,
		SubscriptionsPerUser:   engine.SubscriptionsPerUser,
		SocketInitTimeout:      handler.Socket.InitTimeout,
		SocketKeepalive:        handler.Socket.KeepAlive,
	}
	require.Equal(t, configured, got)
	require.Equal(t, configured.SocketKeepalive, handler.KeepAlive)
}
