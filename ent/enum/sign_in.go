package enum

import "io"

// SignIn is a way to sign in to the server.
type SignIn string

// Ways to sign in.
const (
	SignInDevelopment      SignIn = "DEVELOPMENT"
	SignInIdentityProvider SignIn = "IDENTITY_PROVIDER"
	SignInLocal            SignIn = "LOCAL"
	SignInOIDC             SignIn = "OIDC"
)

// Values returns all names, for gqlgen.
func (SignIn) Values() []string {
	return values(SignInDevelopment, SignInIdentityProvider, SignInLocal, SignInOIDC)
}

// MarshalGQL implements graphql.Marshaler.
func (v SignIn) MarshalGQL(w io.Writer) { marshal(w, v) }

// UnmarshalGQL implements graphql.Unmarshaler.
func (v *SignIn) UnmarshalGQL(in any) error { return unmarshal(in, v) }
