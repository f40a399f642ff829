package auth

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// devKeyBytes is the size of the development signing key, that of the HS256 hash.
const devKeyBytes = 32

// LoadOrCreateDevKey returns the 32 bytes of the key file at path, which it creates,
// with its folder, for this user's eyes only (0600, 0700). Processes that start at
// once end with the same key: a file appears whole or not at all, and the first wins.
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
			"development key: %s is not a file of %d bytes; delete it to have a new one made",
			path,
			devKeyBytes,
		)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return nil, fmt.Errorf("development key is open to other users: %w", err)
		}
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("development key: %w", err)
	}
	return key, nil
}

// createDevKey writes a new key beside path and links it into place. Unlike a rename,
// a link never replaces a file that somebody else has just made: it gives fs.ErrExist.
func createDevKey(path string) (err error) {
	// CreateTemp makes the file 0600.
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
