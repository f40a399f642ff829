package signin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"time"

	"errand/internal/apperr"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Parameters of Argon2id: the second recommendation of OWASP's password storage cheat sheet, with less memory than that
// of RFC 9106. A hash takes 19 MiB and about 30 ms.
const (
	hashMemory  = 19 * 1024 // KiB
	hashTime    = 2
	hashThreads = 1
	hashBytes   = 32
	saltBytes   = 16
	// maxHashMemory is the maximum memory that a stored hash may require, in KiB.
	maxHashMemory = 256 * 1024
	// hashWait is how long a sign-in waits for other hashes to be computed.
	hashWait = 10 * time.Second
)

// passwordHasher hashes at most as many passwords at once as it has slots, which bounds the cores and the memory that
// sign-ins take.
type passwordHasher struct{ slots chan struct{} }

func newPasswordHasher() *passwordHasher {
	return &passwordHasher{slots: make(chan struct{}, max(1, min(4, runtime.GOMAXPROCS(0))))}
}

// hash returns the hash of a password in PHC format.
func (h *passwordHasher) hash(ctx context.Context, password string) (string, error) {
	p := hashParameters{memory: hashMemory, time: hashTime, threads: hashThreads, salt: randomBytes(saltBytes)}
	sum, err := h.derive(ctx, p, password, hashBytes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		encodePHC(p.salt), encodePHC(sum)), nil
}

// verify reports whether a password has the hash. Without a hash it takes the same time and returns false, so that
// the time of a sign-in does not show whether an account exists.
func (h *passwordHasher) verify(ctx context.Context, hash *string, password string) (bool, error) {
	p := hashParameters{memory: hashMemory, time: hashTime, threads: hashThreads, salt: make([]byte, saltBytes)}
	want := make([]byte, hashBytes)
	if hash != nil {
		var err error
		if p, want, err = parseHash(*hash); err != nil {
			return false, err
		}
	}
	sum, err := h.derive(ctx, p, password, uint32(len(want))) //nolint:gosec // parseHash bounds it
	return err == nil && hash != nil && subtle.ConstantTimeCompare(sum, want) == 1, err
}

type hashParameters struct {
	memory, time uint32
	threads      uint8
	salt         []byte
}

func (h *passwordHasher) derive(ctx context.Context, p hashParameters, password string, size uint32) ([]byte, error) {
	wait, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
	case <-wait.Done():
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, apperr.TooMany(hashWait, "Too many sign-ins are in progress.")
	}
	defer func() { <-h.slots }()
	// One spelling for each text: keyboards differ in how they compose accents.
	return argon2.IDKey(norm.NFC.Bytes([]byte(password)), p.salt, p.time, p.memory, p.threads, size), nil
}

// parseHash parses a hash in PHC format.
func parseHash(text string) (p hashParameters, sum []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, fmt.Errorf("a stored password hash is not of Argon2id version %d", argon2.Version)
	}
	_, scanErr := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads)
	salt, saltErr := decodePHC(parts[4])
	sum, sumErr := decodePHC(parts[5])
	p.salt = salt
	switch {
	case scanErr != nil, saltErr != nil, sumErr != nil:
		return p, nil, fmt.Errorf("a stored password hash is malformed: %q", parts[3])
	case p.memory < 8 || p.memory > maxHashMemory || p.time < 1 || p.time > 16 || p.threads < 1 || p.threads > 16 ||
		len(salt) < 8 || len(sum) < 16 || len(sum) > 64:
		return p, nil, fmt.Errorf("a stored password hash has parameters out of range: %q", parts[3])
	}
	return p, sum, nil
}

// encodePHC and decodePHC use base64 without padding, as the PHC format does.
func encodePHC(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

func decodePHC(text string) ([]byte, error) { return base64.RawStdEncoding.Strict().DecodeString(text) }
