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
		return a.fileRing(p, current)
	}
	previous, err := keyring.ParseSecret(a.SecretPrevious)
	if err != nil {
		return nil, usage(fmt.Errorf("IDP_SECRET_PREVIOUS: %w", err), "")
	}
	return keyring.New(current, previous)
}

// previousSecret is the file, beside that of the secret, that holds the one before a rotation.
const previousSecret = "secret.previous"

// fileRing adds the secret before a rotation, if it is beside the one that the program keeps
// itself.
func (a *app) fileRing(p place, current []byte) (*keyring.Ring, error) {
	if a.Secret != "" {
		return keyring.New(current)
	}
	path := filepath.Join(p.folder, previousSecret)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keyring.New(current)
	}
	if err != nil {
		return nil, failed(fmt.Errorf("read the secret before the rotation: %w", err), "")
	}
	previous, err := keyring.ParseSecret(string(text))
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", path, err), "Bring the file back from a backup, or remove it a day after the rotation.")
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
	f, err := temporary(path, newSecretText())
	if err != nil {
		return err
	}
	defer os.Remove(f)
	// A link, unlike a rename, never replaces a file that is there.
	if err := os.Link(f, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// replaceSecret puts a new secret in the place of the one at path.
func replaceSecret(path string) error { return replaceFile(path, newSecretText()) }

func replaceFile(path string, text []byte) error {
	f, err := temporary(path, text)
	if err != nil {
		return err
	}
	defer os.Remove(f)
	if err := os.Rename(f, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder has the names in a folder on the disk: what is sealed under a new secret is, before
// long, and must not be there without it after a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newSecretText() []byte {
	secret := make([]byte, keyring.SecretSize)
	rand.Read(secret)
	return []byte(base64.StdEncoding.EncodeToString(secret) + "\n")
}

// temporary writes a file beside path, which is on the disk when it gives its name.
func temporary(path string, text []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
