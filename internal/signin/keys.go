package signin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	stdsql "database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"errand/ent"
	"errand/ent/signinissuer"
	"errand/ent/signinkey"
	"errand/internal/apperr"
	"errand/internal/auth"
	"errand/internal/store"

	"entgo.io/ent/dialect/sql"
)

const (
	// issuerID is the ID of the only row of sign_in_issuers.
	issuerID = "local"
	// keyLifetime is how long a key signs tokens.
	keyLifetime = 90 * 24 * time.Hour
	// keyOverlap is how long a retired key verifies tokens. Replicas sign with it for keysTTL after its end.
	keyOverlap = AccessTokenTTL + 5*time.Minute
	// keyRetention is how long the row of a retired key is kept.
	keyRetention = 24 * time.Hour
	// keysTTL is how long the keys are cached.
	keysTTL = time.Minute
	// keysMinAge is the age from which the keys are read again for a token with an unknown key.
	keysMinAge = time.Second
)

// keySet is the issuer of a database with its keys. It is immutable.
type keySet struct {
	issuer     string
	sealingKey []byte
	current    signingKey
	public     map[string]ed25519.PublicKey // by ID, those that verify tokens
	ids        []string                     // of public, newest first
}

type signingKey struct {
	id  string
	key ed25519.PrivateKey
}

// keyring holds the issuer and the keys of a database. It is safe for concurrent use.
type keyring struct {
	client *ent.Client
	log    *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	keys *keySet   // nil before the first use
	got  time.Time // when keys was read
}

// timestamp returns the current time in the form that both engines store.
func (r *keyring) timestamp() time.Time { return r.now().UTC().Truncate(time.Microsecond) }

// Issuer returns the issuer of the database's access tokens. It is created on first use, with the first key.
func (r *keyring) Issuer(ctx context.Context) (string, error) {
	keys, err := r.loadKeys(ctx, keysTTL)
	if err != nil {
		return "", err
	}
	return keys.issuer, nil
}

// loadKeys returns the keys, which it reads if the cached ones are older than maxAge.
func (r *keyring) loadKeys(ctx context.Context, maxAge time.Duration) (*keySet, error) {
	r.mu.Lock()
	keys, got := r.keys, r.got
	r.mu.Unlock()
	// A clock that was set back makes the age negative.
	if age := r.now().Sub(got); keys != nil && age >= 0 && age < maxAge {
		return keys, nil
	}
	got = r.now()
	keys, err := r.readKeys(ctx)
	if err == nil && keys == nil {
		keys, err = r.createKeys(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("the signing keys of built-in accounts: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys, r.got = keys, got
	return keys, nil
}

// readKeys returns the keys of the database, nil if there is no issuer or no current key.
func (r *keyring) readKeys(ctx context.Context) (*keySet, error) {
	ctx = asSystem(ctx)
	issuer, err := r.client.SignInIssuer.Get(ctx, issuerID)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := r.client.SignInKey.Query().Order(signinkey.ByID(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, err
	}
	return newKeySet(issuer, rows, r.now()), nil
}

// newKeySet returns the keys that verify tokens at a time, or nil if no key is current. The rows are ordered by
// creation, newest first.
func newKeySet(issuer *ent.SignInIssuer, rows []*ent.SignInKey, now time.Time) *keySet {
	set := &keySet{issuer: issuer.Issuer, sealingKey: issuer.SealingKey, public: map[string]ed25519.PublicKey{}}
	for _, row := range rows {
		if row.RetiredAt != nil && now.Sub(*row.RetiredAt) > keyOverlap {
			continue
		}
		key := ed25519.NewKeyFromSeed(row.Seed)
		set.public[row.ID] = key.Public().(ed25519.PublicKey)
		set.ids = append(set.ids, row.ID)
		if row.RetiredAt == nil && set.current.key == nil {
			set.current = signingKey{id: row.ID, key: key}
		}
	}
	if set.current.key == nil {
		return nil
	}
	return set
}

// createKeys creates the issuer and its key if they are missing. One of several concurrent calls creates them.
func (r *keyring) createKeys(ctx context.Context) (*keySet, error) {
	err := store.WithTx(ctx, r.client, func(tx *ent.Tx) error {
		if err := r.lockIssuer(ctx, tx); err != nil {
			return err
		}
		exists, err := tx.SignInKey.Query().Where(signinkey.RetiredAtIsNil()).Exist(asSystem(ctx))
		if err != nil || exists {
			return err
		}
		return r.createKey(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	keys, err := r.readKeys(ctx)
	if err == nil && keys == nil {
		err = errors.New("no current key after its creation")
	}
	return keys, err
}

// lockIssuer locks the row of the issuer until tx ends. It creates the row if it is missing.
func (r *keyring) lockIssuer(ctx context.Context, tx *ent.Tx) error {
	ctx = asSystem(ctx)
	name := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(randomBytes(16)))
	err := tx.SignInIssuer.Create().
		SetID(issuerID).
		SetIssuer(auth.AccountIssuerPrefix+name).
		SetSealingKey(randomBytes(32)).
		OnConflict(sql.ConflictColumns(signinissuer.FieldID), sql.DoNothing()).
		Exec(ctx)
	if err != nil && !errors.Is(err, stdsql.ErrNoRows) { // DO NOTHING returns no row
		return fmt.Errorf("creating the issuer: %w", err)
	}
	if err := tx.SignInIssuer.UpdateOneID(issuerID).SetUpdatedAt(r.timestamp()).Exec(ctx); err != nil {
		return fmt.Errorf("locking the issuer: %w", err)
	}
	return nil
}

func (r *keyring) createKey(ctx context.Context, tx *ent.Tx) error {
	row, err := tx.SignInKey.Create().
		SetSeed(randomBytes(ed25519.SeedSize)).
		SetCreatedAt(r.timestamp()).
		Save(asSystem(ctx))
	if err != nil {
		return fmt.Errorf("creating a signing key: %w", err)
	}
	r.log.InfoContext(ctx, "new signing key of built-in accounts", slog.String("key_id", row.ID))
	return nil
}

// RotateKey retires the current key if it is older than maxAge, and creates another. Tokens of the old key stay valid.
func (r *keyring) RotateKey(ctx context.Context, maxAge time.Duration) error {
	err := store.WithTx(ctx, r.client, func(tx *ent.Tx) error {
		if err := r.lockIssuer(ctx, tx); err != nil {
			return err
		}
		n, err := tx.SignInKey.Update().
			Where(signinkey.RetiredAtIsNil(), signinkey.CreatedAtLTE(r.timestamp().Add(-maxAge))).
			SetRetiredAt(r.timestamp()).
			Save(asSystem(ctx))
		if err != nil || n == 0 {
			return err
		}
		return r.createKey(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("rotating the signing key: %w", err)
	}
	_, err = r.loadKeys(ctx, 0)
	return err
}

// JWKS returns the JSON Web Key Set (RFC 7517) of the keys that verify access tokens.
func (r *keyring) JWKS(ctx context.Context) ([]byte, error) {
	keys, err := r.loadKeys(ctx, keysTTL)
	if err != nil {
		return nil, err
	}
	type jwk struct {
		KeyType   string `json:"kty"`
		Curve     string `json:"crv"`
		Algorithm string `json:"alg"`
		Use       string `json:"use"`
		ID        string `json:"kid"`
		X         string `json:"x"`
	}
	document := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, id := range keys.ids {
		document.Keys = append(document.Keys, jwk{
			KeyType:   "OKP",
			Curve:     "Ed25519",
			Algorithm: "EdDSA",
			Use:       "sig",
			ID:        id,
			X:         encode(keys.public[id]),
		})
	}
	return json.Marshal(document)
}

// Seal encrypts what a browser keeps for the server. Only Unseal with the same purpose returns it, on every replica.
func (r *keyring) Seal(ctx context.Context, purpose string, plaintext []byte) (string, error) {
	box, err := r.sealer(ctx, purpose)
	if err != nil {
		return "", err
	}
	nonce := randomBytes(box.NonceSize())
	return encode(box.Seal(nonce, nonce, plaintext, []byte(purpose))), nil
}

// Unseal returns what was sealed with the purpose. The error is UNAUTHENTICATED for anything else.
func (r *keyring) Unseal(ctx context.Context, purpose, sealed string) ([]byte, error) {
	box, err := r.sealer(ctx, purpose)
	if err != nil {
		return nil, err
	}
	invalid := apperr.New(apperr.Unauthenticated, "The data of the browser is not valid.")
	text, err := decode(sealed)
	if err != nil || len(text) < box.NonceSize() {
		return nil, invalid
	}
	plaintext, err := box.Open(nil, text[:box.NonceSize()], text[box.NonceSize():], []byte(purpose))
	if err != nil {
		return nil, invalid
	}
	return plaintext, nil
}

// sealer returns the cipher of a purpose. AES-GCM with random nonces is safe for 2^32 texts with one key.
func (r *keyring) sealer(ctx context.Context, purpose string) (cipher.AEAD, error) {
	key, err := r.deriveKey(ctx, purpose)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return cipher.NewGCM(block)
}

// deriveKey returns a key of the database for a purpose.
func (r *keyring) deriveKey(ctx context.Context, purpose string) ([]byte, error) {
	keys, err := r.loadKeys(ctx, keysTTL)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, keys.sealingKey, nil, "errand/"+purpose, 32)
}
