package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"idp/admin"
	"idp/op"
	"idp/store"
)

// plain are the characters of ids and secrets: they survive Basic credentials with and
// without URL encoding.
const plain = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// secret gives the client its secret, the one that it has or a new one, which is to be
// shown. Secrets are kept as a plain hash, so one that could be guessed is refused.
func (c *clientCreateCmd) secret(a *app, made *store.Client) (shown string, err error) {
	switch {
	case c.SecretFile != "" && (!made.Type.Confidential() || made.JWKS != ""):
		return "", usage(errors.New("--client-secret-file does not fit a client without a secret"), "")
	case c.SecretFile != "":
		text, err := a.readInput(c.SecretFile)
		if err != nil {
			return "", usage(fmt.Errorf("--client-secret-file: %w", err), "")
		}
		secret := string(text)
		if len(secret) < 32 || len(secret) > 128 || strings.Trim(secret, plain) != "" || distinct(secret) < 10 {
			return "", usage(errors.New("--client-secret-file: the secret is not 32 to 128 random characters of 0-9, A-Z and a-z"),
				"Leave the flag out to have one made.")
		}
		made.Secrets = []store.ClientSecret{secretOf(secret)}
	case made.Type.Confidential() && made.JWKS == "":
		var s store.ClientSecret
		shown, s = newClientSecret()
		made.Secrets = []store.ClientSecret{s}
	}
	return shown, nil
}

// distinct counts the different characters: of 32 random ones hardly ever fewer than 20.
func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// maxKeys bounds a key set: a handful of keys.
const maxKeys = 32 << 10

// clientKeys reads an app's public keys from a file, "" for none.
func (a *app) clientKeys(file string, kind store.ClientType) (string, error) {
	if file == "" {
		return "", nil
	}
	if !kind.Confidential() {
		return "", usage(fmt.Errorf("--jwks does not fit --type %s", kind), "An app whose key everybody can read proves nothing with it.")
	}
	text, err := a.readInput(file)
	if err != nil {
		return "", usage(fmt.Errorf("--jwks: %w", err), "")
	}
	if len(text) > maxKeys {
		return "", usage(fmt.Errorf("--jwks: the file is longer than %d bytes", maxKeys), "")
	}
	keys, err := op.ClientKeys(text)
	if err != nil {
		return "", usage(fmt.Errorf("--jwks: %w", err), `It is a JSON Web Key Set of public keys: {"keys":[{"kty":"EC","crv":"P-256",…}]}`)
	}
	return keys, nil
}

// newClientSecret gives a secret that is shown once, and what is kept of it.
func newClientSecret() (string, store.ClientSecret) {
	return store.NewClientSecret(time.Now(), admin.DefaultSecret, time.Time{})
}

func secretOf(text string) store.ClientSecret {
	return store.GivenClientSecret(time.Now(), admin.DefaultSecret, text, time.Time{})
}
