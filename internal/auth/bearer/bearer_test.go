package bearer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"errand/internal/apperr"

	"github.com/stretchr/testify/require"
)

func TestFromHeader_ValidAndInvalidValues_TokenOrUnauthenticated(t *testing.T) {
	for _, value := range []string{"Bearer abc.d-e_f~1+2/3==", "bearer  abc.d-e_f~1+2/3==", "BEARER abc.d-e_f~1+2/3== "} {
		r := httptest.NewRequest(http.MethodGet, "/graphql", nil)
		r.Header.Set("Authorization", value)
		token, present, err := FromHeader(r.Header)
		require.NoError(t, err)
		require.True(t, present)
		require.Equal(t, "abc.d-e_f~1+2/3==", token)
	}
	for _, values := range [][]string{
		{""},
		{"Bearer"},
		{"Bearer "},
		{"Basic YTpi"},
		{"abc"},
		{"Bearer a b"},
		{"Bearer a,b"},
		{"Bearer a\x00"},
		{"Bearer é"},
		{"Bearer ="},
		{"Bearer a", "Bearer b"},
		{"Bearer a", "Basic b"},
		{"Bearer " + strings.Repeat("a", MaxBytes+1)},
	} {
		r := httptest.NewRequest(http.MethodGet, "/graphql", nil)
		r.Header["Authorization"] = values
		token, present, err := FromHeader(r.Header)
		require.Equal(t, apperr.Unauthenticated, apperr.CodeOf(err), values)
		require.True(t, present)
		require.Empty(t, token)
	}
}

func TestFromHeader_TokenInQueryFormOrCookie_Ignored(t *testing.T) {
	r := httptest.NewRequest(
		http.MethodPost,
		"/graphql?access_token=abc&token=abc&authorization=Bearer+abc",
		strings.NewReader("access_token=abc"),
	)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Proxy-Authorization", "Bearer abc")
	r.AddCookie(&http.Cookie{Name: "token", Value: "abc"})
	r.AddCookie(&http.Cookie{Name: "Authorization", Value: "Bearer abc"})
	token, present, err := FromHeader(r.Header)
	require.NoError(t, err)
	require.False(t, present)
	require.Empty(t, token)
}
