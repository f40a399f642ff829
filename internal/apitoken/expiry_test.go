package apitoken

import (
	"testing"
	"time"

	"errand/internal/ids"
	"errand/internal/viewer"

	"github.com/stretchr/testify/require"
)

// A leaked API token cannot be used for longer by creating another one. A token of a sign-in session is renewed, so
// its end says nothing about the session's.
func TestCheckExpiry_Viewer_LimitsByAPITokenOnly(t *testing.T) {
	now := ids.Now()
	soon, later := now.Add(10*time.Minute), now.Add(24*time.Hour)
	for name, credentialID := range map[string]string{
		"sign-in session":   ids.New(ids.SignInSession)(),
		"identity provider": "",
	} {
		v := viewer.Viewer{UserID: "user_1", Expires: soon, CredentialID: credentialID}
		for _, in := range []Input{{}, {NeverExpires: true}, {ExpiresAt: &later}} {
			_, err := in.checkExpiry(v, now)
			require.NoError(t, err, name)
		}
	}
	v := viewer.Viewer{UserID: "user_1", Expires: soon, CredentialID: ids.New(ids.APIToken)()}
	for _, in := range []Input{{NeverExpires: true}, {ExpiresAt: &later}} {
		_, err := in.checkExpiry(v, now)
		require.Error(t, err)
	}
	expires, err := (&Input{}).checkExpiry(v, now)
	require.NoError(t, err)
	require.Equal(t, soon, *expires)
}
