package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"errand/ent"
	"errand/internal/apperr"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// relyingPartyName is what browsers show as the name of the server.
const relyingPartyName = "Errand"

// The purposes of ceremonies.
const (
	ceremonySignIn   = "passkey sign-in"
	ceremonyRegister = "passkey registration"
)

// ceremonyState is the state by which any replica finishes a ceremony. The browser keeps it, encrypted.
type ceremonyState struct {
	Session webauthn.SessionData `json:"session"`
	Expires time.Time            `json:"expires"`
}

// relyingParty returns the settings of ceremonies at an origin. The error is BAD_USER_INPUT where browsers offer none:
// at an IP address, or without TLS except on localhost.
func relyingParty(origin Origin) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(string(origin))
	if err != nil || u.Hostname() == "" {
		return nil, apperr.Invalid("origin", "The address of the page is not known.")
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, apperr.Invalid("origin", "Passkeys need a host name; %s is an IP address.", host)
	}
	if u.Scheme != "https" && host != "localhost" {
		return nil, apperr.Invalid("origin", "Passkeys need HTTPS.")
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID:                  host,
		RPDisplayName:         relyingPartyName,
		RPOrigins:             []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification:   protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{
			Login:        webauthn.TimeoutConfig{Timeout: CeremonyTTL},
			Registration: webauthn.TimeoutConfig{Timeout: CeremonyTTL},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys at %s: %w", origin, err)
	}
	return rp, nil
}

// sealCeremony returns a begun ceremony with its encrypted state. options are passed to the browser.
func (s *Service) sealCeremony(
	ctx context.Context, purpose string, session *webauthn.SessionData, options any,
) (*Ceremony, error) {
	session.Expires = time.Time{} // the library would compare it with the system's clock
	state, err := json.Marshal(ceremonyState{Session: *session, Expires: s.timestamp().Add(CeremonyTTL)})
	if err != nil {
		return nil, fmt.Errorf("encoding a ceremony: %w", err)
	}
	id, err := s.Seal(ctx, purpose, state)
	if err != nil {
		return nil, err
	}
	publicKey, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("encoding the options of a ceremony: %w", err)
	}
	return &Ceremony{ID: id, PublicKey: publicKey}, nil
}

// errCeremony returns the error for a ceremony that cannot be finished, whatever the reason.
func errCeremony() error {
	return apperr.New(apperr.Unauthenticated, "The passkey was not accepted. Try again.")
}

// openCeremony decrypts the state of a ceremony. The error is UNAUTHENTICATED if the ID is not valid or has expired.
func (s *Service) openCeremony(ctx context.Context, purpose, id string) (*ceremonyState, error) {
	text, err := s.Unseal(ctx, purpose, id)
	if apperr.CodeOf(err) == apperr.Unauthenticated {
		return nil, errCeremony()
	}
	if err != nil {
		return nil, err
	}
	var state ceremonyState
	if json.Unmarshal(text, &state) != nil || !s.now().Before(state.Expires) {
		return nil, errCeremony()
	}
	return &state, nil
}

// useCeremony marks a ceremony as used in tx. The error is UNAUTHENTICATED if it was used before.
func (s *Service) useCeremony(ctx context.Context, tx *ent.Tx, state *ceremonyState) error {
	sum := sha256.Sum256([]byte(state.Session.Challenge))
	err := tx.UsedCeremony.Create().
		SetID(hex.EncodeToString(sum[:])).
		SetExpiresAt(state.Expires).
		Exec(asSystem(ctx))
	if ent.IsConstraintError(err) {
		return errCeremony()
	}
	if err != nil {
		return fmt.Errorf("using a ceremony: %w", err)
	}
	return nil
}
