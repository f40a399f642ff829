package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// devKeyBytes is the size of the development signing key: that of the HS256 hash (RFC 7518 section 3.2).
const devKeyBytes = 32

// LoadOrCreateDevKey returns the 32 bytes of the key file at path. It creates a missing file with mode 0600 and
// a missing directory with mode 0700. Processes that start at the same time get the same key, because the file
// is created atomically and never replaced.
func LoadOrCreateDevKey(path string) ([]byte, error) {
	key, err := readDevKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	if err := createDevKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("development key: %w", err)
	}
	return readDevKey(path)
}

func readDevKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() != devKeyBytes {
		return nil, fmt.Errorf(
			"development key: %s is not a file of %d bytes; delete it, and a new key is created at the next start",
			path,
			devKeyBytes,
		)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return nil, fmt.Errorf("development key: restricting the file to its owner: %w", err)
		}
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	return key, nil
}

// createDevKey writes a new key to a temporary file and links it to path. Unlike a rename, a link fails with
// fs.ErrExist when another process created the file first.
func createDevKey(path string) (err error) {
	// CreateTemp creates the file with mode 0600.
	file, err := os.CreateTemp(filepath.Dir(path), ".dev-key-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	key := make([]byte, devKeyBytes)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	_, err = file.Write(key)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Link(file.Name(), path)
}
