package op

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // ES256, RS256
	_ "crypto/sha512" // ES384, EdDSA
	"encoding/json"
	"fmt"
)

// The signature algorithms (RFC 7518 section 3.1, RFC 8037).
const (
	algES256 = "ES256"
	algRS256 = "RS256"
	algES384 = "ES384"
	algEdDSA = "EdDSA"
)

var (
	algsSupported = []string{algES256, algRS256, algES384, algEdDSA}
	// ES256 is the default of new clients; OpenID Connect Discovery requires RS256.
	alwaysPublished = []string{algES256, algRS256}
)

// rsaBits is the size RFC 7518 section 3.3 asks for at least; a larger key would
// make signing, 1.2 ms already, the dearest step of a sign-in.
const rsaBits = 2048

// generate makes a private key for an algorithm.
func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case algES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case algES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case algRS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case algEdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("unknown signature algorithm %q", alg)
}

// signer signs JWTs with one key. The header is the same each time and kept encoded.
type signer struct {
	kid    string
	key    crypto.Signer
	hash   crypto.Hash // of the algorithm; at_hash uses it too
	id     string      // header of an ID token: base64url, with the dot
	access string      // header of an access token, likewise
}

func newSigner(kid, alg string, private any) (*signer, error) {
	key, _ := private.(crypto.Signer)
	s := &signer{kid: kid, key: key}
	for typ, header := range map[string]*string{typID: &s.id, typAccess: &s.access} {
		text, err := json.Marshal(struct {
			Alg string `json:"alg"`
			Typ string `json:"typ"`
			Kid string `json:"kid"`
		}{alg, typ, kid})
		if err != nil {
			return nil, err
		}
		*header = encode(text) + "."
	}
	var ok bool
	switch alg {
	case algES256:
		_, ok = key.(*ecdsa.PrivateKey)
		s.hash = crypto.SHA256
	case algES384:
		_, ok = key.(*ecdsa.PrivateKey)
		s.hash = crypto.SHA384
	case algRS256:
		_, ok = key.(*rsa.PrivateKey)
		s.hash = crypto.SHA256
	case algEdDSA:
		_, ok = key.(ed25519.PrivateKey)
		s.hash = crypto.SHA512 // the hash inside Ed25519, which at_hash takes
	}
	if !ok {
		return nil, fmt.Errorf("signing key %s is not one for %s", kid, alg)
	}
	return s, nil
}

// token signs claims under one of the headers, as a compact JWS (RFC 7515 section 3.1).
func (s *signer) token(header string, claims []byte) (string, error) {
	input := header + encode(claims)
	signature, err := s.sign([]byte(input))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return input + "." + encode(signature), nil
}

func (s *signer) sign(input []byte) ([]byte, error) {
	switch key := s.key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input), nil
	case *ecdsa.PrivateKey:
		r, t, err := ecdsa.Sign(rand.Reader, key, s.digest(input))
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size) // RFC 7518 section 3.4: both halves, not ASN.1
		r.FillBytes(out[:size])
		t.FillBytes(out[size:])
		return out, nil
	}
	return s.key.Sign(rand.Reader, s.digest(input), s.hash)
}

func (s *signer) digest(input []byte) []byte {
	h := s.hash.New()
	h.Write(input)
	return h.Sum(nil)
}

// halfHash is at_hash (OpenID Connect Core section 3.1.3.6).
func (s *signer) halfHash(text string) string {
	sum := s.digest([]byte(text))
	return encode(sum[:len(sum)/2])
}
