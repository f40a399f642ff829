package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"errand/ent"
	"errand/ent/passkey"
	"errand/internal/apperr"
	"errand/internal/store"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// maxCredential is the maximum size of a browser's response that is parsed, in bytes.
const maxCredential = 64 << 10

func newPasskey(row *ent.Passkey) Passkey {
	return Passkey{ID: row.ID, Name: row.Name, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt}
}

// passkeyHolder is a login with its passkeys. It implements webauthn.User.
type passkeyHolder struct {
	login       *ent.Login
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (h passkeyHolder) WebAuthnID() []byte { return []byte(h.login.ID) }

// WebAuthnName implements webauthn.User.
func (h passkeyHolder) WebAuthnName() string { return h.login.Login }

// WebAuthnDisplayName implements webauthn.User.
func (h passkeyHolder) WebAuthnDisplayName() string { return newProfile(h.login).Name }

// WebAuthnCredentials implements webauthn.User.
func (h passkeyHolder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// newPasskeyHolder returns a login with these passkeys.
func newPasskeyHolder(row *ent.Login, passkeys []*ent.Passkey) (passkeyHolder, error) {
	h := passkeyHolder{login: row}
	for _, p := range passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(p.Credential), &c); err != nil {
			return h, fmt.Errorf("parsing the passkey %s: %w", p.ID, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// BeginPasskey begins the registration of a passkey of the viewer.
func (s *Service) BeginPasskey(ctx context.Context, origin Origin) (*Ceremony, error) {
	row, _, err := s.ownLogin(ctx)
	if err != nil {
		return nil, err
	}
	rp, err := relyingParty(origin)
	if err != nil {
		return nil, err
	}
	passkeys, err := s.client.Passkey.Query().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading passkeys: %w", err)
	}
	if len(passkeys) >= MaxPasskeys {
		return nil, errTooManyPasskeys()
	}
	holder, err := newPasskeyHolder(row, passkeys)
	if err != nil {
		return nil, err
	}
	var known []protocol.CredentialDescriptor // one passkey per authenticator
	for _, c := range holder.credentials {
		known = append(known, c.Descriptor())
	}
	creation, session, err := rp.BeginRegistration(holder, webauthn.WithExclusions(known))
	if err != nil {
		return nil, fmt.Errorf("beginning the registration of a passkey: %w", err)
	}
	return s.sealCeremony(ctx, ceremonyRegister, session, creation.Response)
}

func errTooManyPasskeys() error {
	return apperr.OverQuota("passkeys", MaxPasskeys, "At most %d passkeys may be registered; delete one first.",
		MaxPasskeys)
}

// FinishPasskey registers the passkey that a browser created for a ceremony of BeginPasskey. The error is
// UNAUTHENTICATED if the ceremony or the answer is not valid.
func (s *Service) FinishPasskey(
	ctx context.Context, origin Origin, ceremony string, credential json.RawMessage, name string,
) (*Passkey, error) {
	row, v, err := s.ownLogin(ctx)
	if err != nil {
		return nil, err
	}
	if name, err = checkName(name); err != nil {
		return nil, err
	}
	if name == "" {
		name = "Passkey"
	}
	rp, err := relyingParty(origin)
	if err != nil {
		return nil, err
	}
	state, err := s.openCeremony(ctx, ceremonyRegister, ceremony)
	if err != nil {
		return nil, err
	}
	created, err := s.verifyCreation(ctx, rp, passkeyHolder{login: row}, state, credential)
	if err != nil {
		return nil, err
	}
	stored, err := encodeCredential(created)
	if err != nil {
		return nil, err
	}
	var p *ent.Passkey
	err = store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		if _, err := lockLogin(ctx, tx, v.UserID); err != nil {
			return err
		}
		if n, err := tx.Passkey.Query().Count(ctx); err != nil || n >= MaxPasskeys {
			if err == nil {
				err = errTooManyPasskeys()
			}
			return err
		}
		if err := s.useCeremony(ctx, tx, state); err != nil {
			return err
		}
		p, err = tx.Passkey.Create().
			SetLoginID(row.ID).
			SetName(name).
			SetCredentialID(encode(created.ID)).
			SetCredential(stored).
			SetCreatedAt(s.timestamp()).
			Save(ctx)
		return err
	})
	if ent.IsConstraintError(err) {
		return nil, apperr.New(apperr.Conflict, "This passkey is registered already.")
	}
	if err != nil {
		return nil, err
	}
	return new(newPasskey(p)), nil
}

func (s *Service) verifyCreation(
	ctx context.Context, rp *webauthn.WebAuthn, holder passkeyHolder, state *ceremonyState, answer json.RawMessage,
) (*webauthn.Credential, error) {
	if len(answer) > maxCredential {
		return nil, errCeremony()
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, s.rejectPasskey(ctx, "registration", err)
	}
	created, err := rp.CreateCredential(holder, state.Session, parsed)
	if err != nil {
		return nil, s.rejectPasskey(ctx, "registration", err)
	}
	return created, nil
}

// rejectPasskey logs why an answer of a browser is not accepted, and returns errCeremony.
func (s *Service) rejectPasskey(ctx context.Context, what string, err error) error {
	attrs := []any{slog.String("ceremony", what), slog.Any("error", err)}
	if detailed, ok := err.(*protocol.Error); ok { //nolint:errorlint // the library does not wrap it
		attrs = append(attrs, slog.String("detail", detailed.Details), slog.String("info", detailed.DevInfo))
	}
	s.log.InfoContext(ctx, "a passkey was not accepted", attrs...)
	return errCeremony()
}

// encodeCredential returns the stored form of a credential, without the attestation, which is not requested.
func encodeCredential(c *webauthn.Credential) (string, error) {
	kept := *c
	kept.Attestation = webauthn.CredentialAttestation{}
	text, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("encoding a passkey: %w", err)
	}
	return string(text), nil
}

// DeletePasskey deletes a passkey of the viewer. The error is NOT_FOUND if there is none with this ID.
func (s *Service) DeletePasskey(ctx context.Context, id string) error {
	if _, err := requireSession(ctx); err != nil {
		return err
	}
	n, err := s.client.Passkey.Delete().Where(passkey.ID(id)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("deleting a passkey: %w", err)
	}
	if n == 0 {
		return apperr.Missing("passkey")
	}
	return nil
}

// BeginPasskeySignIn begins a sign-in with any passkey that the browser has for this server.
func (s *Service) BeginPasskeySignIn(ctx context.Context, origin Origin) (*Ceremony, error) {
	rp, err := relyingParty(origin)
	if err != nil {
		return nil, err
	}
	assertion, session, err := rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("beginning a sign-in with a passkey: %w", err)
	}
	return s.sealCeremony(ctx, ceremonySignIn, session, assertion.Response)
}

// FinishPasskeySignIn starts a session by a browser's answer to a ceremony of BeginPasskeySignIn. The error is
// UNAUTHENTICATED if the ceremony or the answer is not valid, or if the account is disabled.
func (s *Service) FinishPasskeySignIn(
	ctx context.Context, from Caller, origin Origin, ceremony string, credential json.RawMessage,
) (_ *Session, err error) {
	attempt, err := s.failures.begin(s.now(), signInFailures, from.Address, "")
	if err != nil {
		return nil, err
	}
	defer func() { attempt.end(err) }()
	rp, err := relyingParty(origin)
	if err != nil {
		return nil, err
	}
	state, err := s.openCeremony(ctx, ceremonySignIn, ceremony)
	if err != nil {
		return nil, err
	}
	used, err := s.verifyAssertion(ctx, rp, state, credential)
	if err != nil {
		return nil, err
	}
	return s.signInWithPasskey(ctx, from, state, used)
}

// usedPasskey is a passkey whose signature was verified. stored is its credential with the new counter.
type usedPasskey struct {
	row    *ent.Passkey
	login  *ent.Login
	stored string
}

func (s *Service) verifyAssertion(
	ctx context.Context, rp *webauthn.WebAuthn, state *ceremonyState, answer json.RawMessage,
) (*usedPasskey, error) {
	if len(answer) > maxCredential {
		return nil, errCeremony()
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, s.rejectPasskey(ctx, "sign-in", err)
	}
	row, err := s.client.Passkey.Query().Where(passkey.CredentialID(encode(parsed.RawID))).WithLogin().Only(asSystem(ctx))
	if ent.IsNotFound(err) || err == nil && (row.Edges.Login == nil || row.Edges.Login.DisabledAt != nil) {
		return nil, errCeremony()
	}
	if err != nil {
		return nil, fmt.Errorf("reading a passkey: %w", err)
	}
	holder, err := newPasskeyHolder(row.Edges.Login, []*ent.Passkey{row})
	if err != nil {
		return nil, err
	}
	// The library compares the user handle of the answer with that of the holder.
	lookup := func(_, _ []byte) (webauthn.User, error) { return holder, nil }
	_, verified, err := rp.ValidatePasskeyLogin(lookup, state.Session, parsed)
	if err != nil {
		return nil, s.rejectPasskey(ctx, "sign-in", err)
	}
	if verified.Authenticator.CloneWarning {
		s.log.WarnContext(ctx, "a passkey's counter went back, as that of a copied authenticator does",
			slog.String("passkey_id", row.ID), slog.String("login_id", row.LoginID))
		return nil, errCeremony()
	}
	stored, err := encodeCredential(verified)
	if err != nil {
		return nil, err
	}
	return &usedPasskey{row: row, login: row.Edges.Login, stored: stored}, nil
}

func (s *Service) signInWithPasskey(
	ctx context.Context, from Caller, state *ceremonyState, used *usedPasskey,
) (*Session, error) {
	user := asUser(ctx, used.row.UserID)
	var started *startedSession
	err := store.WithTx(ctx, s.client, func(tx *ent.Tx) error {
		current, err := lockLogin(user, tx, used.row.UserID)
		if err != nil {
			return err
		}
		if current.DisabledAt != nil {
			return errCeremony()
		}
		if err := s.useCeremony(ctx, tx, state); err != nil {
			return err
		}
		err = tx.Passkey.UpdateOneID(used.row.ID).
			SetCredential(used.stored).
			SetLastUsedAt(s.timestamp()).
			Exec(user)
		if ent.IsNotFound(err) { // deleted meanwhile
			return errCeremony()
		}
		if err != nil {
			return fmt.Errorf("storing the use of a passkey: %w", err)
		}
		started, err = s.createSession(user, tx, from, current)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.present(ctx, started)
}
