// Package passkeytest simulates a browser with an authenticator for tests of passkeys.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// Flags of the authenticator data (WebAuthn section 6.1): the user was present, and was verified.
const (
	FlagUserPresent  = 0x01
	FlagUserVerified = 0x04
	flagAttested     = 0x40
)

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Authenticator is a browser with an authenticator that has one passkey with ES256.
type Authenticator struct {
	// Origin is the origin of the page.
	Origin string
	// UserHandle is the account's, from Create.
	UserHandle []byte
	// Synced passkeys have no counter.
	Synced bool
	// Counter is the number of uses.
	Counter uint32
	// Flags of the answers.
	Flags byte

	key *ecdsa.PrivateKey
	id  []byte
}

// New returns an authenticator in a browser that shows a page of this origin.
func New(t testing.TB, origin string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &Authenticator{
		Origin: origin,
		Flags:  FlagUserPresent | FlagUserVerified,
		key:    key,
		id:     make([]byte, 32),
	}
	_, _ = rand.Read(a.id) // never fails (crypto/rand)
	return a
}

// clientData returns the collected client data of a ceremony.
func (a *Authenticator) clientData(t testing.TB, kind, challenge string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false,
	})
	require.NoError(t, err)
	return text
}

// data returns the authenticator data with the current counter.
func (a *Authenticator) data(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	data := append(hash[:], flags)
	return binary.BigEndian.AppendUint32(data, a.Counter)
}

// Create returns the credential of navigator.credentials.create with these options.
func (a *Authenticator) Create(t testing.TB, options json.RawMessage) json.RawMessage {
	t.Helper()
	var o struct {
		Challenge        string
		RP               struct{ ID string }
		User             struct{ ID string }
		PubKeyCredParams []struct {
			Alg int
		}
		AuthenticatorSelection struct{ ResidentKey, UserVerification string }
	}
	require.NoError(t, json.Unmarshal(options, &o))
	require.Equal(t, "required", o.AuthenticatorSelection.ResidentKey)
	require.Equal(t, "required", o.AuthenticatorSelection.UserVerification)
	require.True(t, slices.ContainsFunc(o.PubKeyCredParams, func(p struct{ Alg int }) bool { return p.Alg == -7 }))
	var err error
	a.UserHandle, err = base64.RawURLEncoding.DecodeString(o.User.ID)
	require.NoError(t, err)
	if !a.Synced {
		a.Counter = 1
	}
	point, err := a.key.PublicKey.Bytes()
	require.NoError(t, err)
	publicKey, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	require.NoError(t, err)
	data := a.data(o.RP.ID, a.Flags|flagAttested)
	data = append(data, make([]byte, 16)...)                      // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id))) //nolint:gosec // 32
	data = append(append(data, a.id...), publicKey...)
	attestation, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	require.NoError(t, err)
	return a.answer(t, map[string]any{
		"clientDataJSON":    encode(a.clientData(t, "webauthn.create", o.Challenge)),
		"attestationObject": encode(attestation),
		"transports":        []string{"internal"},
	})
}

// Get returns the credential of navigator.credentials.get with these options. It raises a counter that is not 0.
func (a *Authenticator) Get(t testing.TB, options json.RawMessage) json.RawMessage {
	t.Helper()
	var o struct {
		Challenge        string
		RPID             string `json:"rpId"`
		AllowCredentials []any
		UserVerification string
	}
	require.NoError(t, json.Unmarshal(options, &o))
	require.Empty(t, o.AllowCredentials, "no account is known before the sign-in")
	require.Equal(t, "required", o.UserVerification)
	if a.Counter > 0 {
		a.Counter++
	}
	data := a.data(o.RPID, a.Flags)
	client := a.clientData(t, "webauthn.get", o.Challenge)
	clientHash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	require.NoError(t, err)
	return a.answer(t, map[string]any{
		"clientDataJSON":    encode(client),
		"authenticatorData": encode(data),
		"signature":         encode(signature),
		"userHandle":        encode(a.UserHandle),
	})
}

func (a *Authenticator) answer(t testing.TB, response map[string]any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": encode(a.id), "rawId": encode(a.id), "type": "public-key", "response": response,
		"clientExtensionResults": map[string]any{}, "authenticatorAttachment": "platform",
	})
	require.NoError(t, err)
	return text
}
