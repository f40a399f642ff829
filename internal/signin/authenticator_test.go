package signin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
)

// Flags of the authenticator data (WebAuthn section 6.1).
const (
	flagUserPresent  = 0x01
	flagUserVerified = 0x04
	flagAttested     = 0x40
)

// authenticator is a browser with an authenticator that has one passkey with ES256.
type authenticator struct {
	origin     Origin
	key        *ecdsa.PrivateKey
	id         []byte
	userHandle []byte
	// A synced passkey has no counter.
	synced  bool
	counter uint32
	flags   byte
}

func newAuthenticator(t *testing.T, origin Origin) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &authenticator{
		origin: origin,
		key:    key,
		id:     randomBytes(32),
		flags:  flagUserPresent | flagUserVerified,
	}
}

// clientData returns the collected client data of a ceremony.
func (a *authenticator) clientData(t *testing.T, kind, challenge string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"type": kind, "challenge": challenge, "origin": string(a.origin), "crossOrigin": false,
	})
	require.NoError(t, err)
	return text
}

// data returns the authenticator data, with a counter that goes up unless it is 0.
func (a *authenticator) data(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	data := append(hash[:], flags)
	return binary.BigEndian.AppendUint32(data, a.counter)
}

// create answers navigator.credentials.create.
func (a *authenticator) create(t *testing.T, options json.RawMessage) json.RawMessage {
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
	a.userHandle, err = decode(o.User.ID)
	require.NoError(t, err)
	if !a.synced {
		a.counter = 1
	}
	point, err := a.key.PublicKey.Bytes()
	require.NoError(t, err)
	publicKey, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	require.NoError(t, err)
	data := a.data(o.RP.ID, a.flags|flagAttested)
	data = append(data, make([]byte, 16)...) // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), publicKey...)
	attestation, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	require.NoError(t, err)
	return a.answer(t, map[string]any{
		"clientDataJSON":    encode(a.clientData(t, "webauthn.create", o.Challenge)),
		"attestationObject": encode(attestation),
		"transports":        []string{"internal"},
	})
}

// get answers navigator.credentials.get.
func (a *authenticator) get(t *testing.T, options json.RawMessage) json.RawMessage {
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
	if host, err := url.Parse(string(a.origin)); err == nil && a.origin == testOrigin {
		require.Equal(t, host.Hostname(), o.RPID)
	}
	if a.counter > 0 {
		a.counter++
	}
	data := a.data(o.RPID, a.flags)
	client := a.clientData(t, "webauthn.get", o.Challenge)
	clientHash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	require.NoError(t, err)
	return a.answer(t, map[string]any{
		"clientDataJSON":    encode(client),
		"authenticatorData": encode(data),
		"signature":         encode(signature),
		"userHandle":        encode(a.userHandle),
	})
}

func (a *authenticator) answer(t *testing.T, response map[string]any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": encode(a.id), "rawId": encode(a.id), "type": "public-key", "response": response,
		"clientExtensionResults": map[string]any{}, "authenticatorAttachment": "platform",
	})
	require.NoError(t, err)
	return text
}
