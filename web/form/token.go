package form

import (
	"crypto/hmac"
	"encoding/base64"

	"idp/keyring"
	"idp/store"
)

// Token makes a form's token, bound to what parts name: the browser, its session.
func Token(mac *keyring.MAC, parts ...[]byte) string {
	sum := mac.Sum(parts...)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Matches compares a token from a form with what it should be, in constant time, under
// each live secret.
func Matches(token string, mac *keyring.MAC, parts ...[]byte) bool {
	given, err := store.DecodeBase64URL(token)
	if err != nil {
		return false
	}
	for _, sum := range mac.Sums(parts...) {
		if hmac.Equal(given, sum[:]) {
			return true
		}
	}
	return false
}
