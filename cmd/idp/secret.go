package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"idp/keyring"
)

// makeSecret is how an operator makes an instance secret.
const makeSecret = "Make one and keep it safe: openssl rand -base64 32"

// ring makes the keyring of the instance. With SQLite the secret is made beside
// the database at the first start; a database on the network outlives machines,
// so its secret has to be given.
func (a *app) ring(p place) (*keyring.Ring, error) {
	var current []byte
	var err error
	switch {
	case a.Secret != "":
		if current, err = keyring.ParseSecret(a.Secret); err != nil {
			return nil, usage(fmt.Errorf("IDP_SECRET: %w", err), "")
		}
	case p.sqlite != "":
		if current, err = fileSecret(p); err != nil {
			return nil, err
		}
	default:
		return nil, usage(errors.New("a Postgres database needs IDP_SECRET, the root of all keys"),
			makeSecret+"\nAll servers and commands on one database share it; IDP_SECRET_FILE names a file that holds it.")
	}
	if a.SecretPrevious == "" {
		return keyring.New(current)
	}
	previous, err := keyring.ParseSecret(a.SecretPrevious)
	if err != nil {
		return nil, usage(fmt.Errorf("IDP_SECRET_PREVIOUS: %w", err), "")
	}
	return keyring.New(current, previous)
}

// fileSecret reads the secret in the data folder and makes it at the first start.
func fileSecret(p place) ([]byte, error) {
	path := filepath.Join(p.folder, "secret")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(p.sqlite); err == nil {
			// A new secret would not open what the database holds.
			return nil, usage(fmt.Errorf("%s exists, but the secret that belongs to it is not at %s", p.sqlite, path),
				"Bring the file back from a backup, or give the secret as IDP_SECRET.")
		}
		if err := writeNew(path); err != nil {
			return nil, failed(fmt.Errorf("make the instance secret: %w", err), "")
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, failed(fmt.Errorf("read the instance secret: %w", err), "")
	}
	secret, err := keyring.ParseSecret(string(text))
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", path, err), "Bring the file back from a backup.")
	}
	return secret, nil
}

// writeNew puts a new secret at path, whole and on the disk, unless another
// process was first.
func writeNew(path string) error {
	secret := make([]byte, keyring.SecretSize)
	rand.Read(secret)
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a file that is there.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
