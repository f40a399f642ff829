package harness

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

// Flags of the authenticator data (WebAuthn section 6.1): the user is present and verified, and a new key is attested.
const (
	verifiedUser = 0x05
	attestedKey  = 0x40
)

// Authenticator is a device with one passkey for ES256, which a page of Origin uses.
type Authenticator struct {
	// Origin is that of the page, which the browser states.
	Origin string

	key        *ecdsa.PrivateKey
	id         []byte
	userHandle string
}

// NewAuthenticator returns a device without a passkey.
func NewAuthenticator(t testing.TB, origin string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &Authenticator{Origin: origin, key: key, id: []byte(rand.Text())}
}

// Create answers navigator.credentials.create with a new passkey. options is the value of publicKey.
func (a *Authenticator) Create(t testing.TB, options json.RawMessage) map[string]any {
	t.Helper()
	var o struct {
		Challenge string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
	require.NoError(t, json.Unmarshal(options, &o))
	a.userHandle = o.User.ID
	point, err := a.key.PublicKey.Bytes()
	require.NoError(t, err)
	public, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	require.NoError(t, err)
	data := slices.Concat(authenticatorData(o.RP.ID, verifiedUser|attestedKey), make([]byte, 16),
		binary.BigEndian.AppendUint16(nil, uint16(len(a.id))), a.id, public)
	attestation, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	require.NoError(t, err)
	return a.answer(map[string]any{
		"clientDataJSON":    Base64URL(a.clientData(t, "webauthn.create", o.Challenge)),
		"attestationObject": Base64URL(attestation),
	})
}

// Get answers navigator.credentials.get with the passkey.
func (a *Authenticator) Get(t testing.TB, options json.RawMessage) map[string]any {
	t.Helper()
	var o struct {
		Challenge string
		RPID      string `json:"rpId"`
	}
	require.NoError(t, json.Unmarshal(options, &o))
	data, client := authenticatorData(o.RPID, verifiedUser), a.clientData(t, "webauthn.get", o.Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	require.NoError(t, err)
	return a.answer(map[string]any{
		"clientDataJSON":    Base64URL(client),
		"authenticatorData": Base64URL(data),
		"signature":         Base64URL(signature),
		"userHandle":        a.userHandle,
	})
}

// authenticatorData returns the authenticator data of a passkey without a counter.
func authenticatorData(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return slices.Concat(hash[:], []byte{flags, 0, 0, 0, 0})
}

func (a *Authenticator) clientData(t testing.TB, kind, challenge string) []byte {
	t.Helper()
	_, err := base64.RawURLEncoding.DecodeString(challenge)
	require.NoError(t, err)
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin})
	require.NoError(t, err)
	return text
}

func (a *Authenticator) answer(response map[string]any) map[string]any {
	id := Base64URL(a.id)
	return map[string]any{
		"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	}
}
