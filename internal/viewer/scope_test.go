package viewer_test

import (
	"testing"

	"errand/internal/apperr"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

func TestNewScopes_Names_KeepsKnownInOrder(t *testing.T) {
	for want, names := range map[viewer.Scopes][]string{
		"":                                    {"openid", "tasks", "Chat", "tasks:read "},
		"tasks:read chat":                     {"chat", "openid", "tasks:read", "chat"},
		"tasks:read tasks:write chat account": {"account", "chat", "tasks:write", "tasks:read"},
	} {
		require.Equal(t, want, viewer.NewScopes(names))
	}
}

func TestScopes_Include_ComparesWhatTheyAllow(t *testing.T) {
	const all = "tasks:read tasks:write chat account"
	for _, c := range []struct {
		have, want viewer.Scopes
		include    bool
	}{
		{"", "", true},
		{"", "chat", true},
		{"", all, true},
		{all, "", false}, // an unlimited token may also do what scopes of later versions cover
		{all, "chat", true},
		{"chat", "chat", true},
		{"chat", "chat account", false},
		{"tasks:write", "tasks:read", false},
	} {
		require.Equal(t, c.include, c.have.Include(c.want), "%q includes %q", c.have, c.want)
	}
}

func TestRequire_MissingScope_ReturnsForbiddenWithScope(t *testing.T) {
	ctx := viewer.NewContext(t.Context(), viewer.Viewer{UserID: "user_1", Scopes: "tasks:read"})
	_, err := viewer.Require(ctx, viewer.TasksRead)
	require.NoError(t, err)
	_, err = viewer.RequireAny(ctx, viewer.Chat, viewer.TasksRead)
	require.NoError(t, err)
	_, all := viewer.Require(ctx, viewer.TasksRead, viewer.Chat)
	_, either := viewer.RequireAny(ctx, viewer.Chat, viewer.Account)
	for _, err := range []error{all, either} {
		require.Equal(t, apperr.Forbidden, apperr.CodeOf(err))
		require.Equal(t, "chat", apperr.From(err).Scope)
	}
	_, err = viewer.Require(viewer.WithoutScopes(ctx), viewer.Account)
	require.NoError(t, err)
	_, err = viewer.Require(t.Context(), viewer.Chat)
	require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err))
}
