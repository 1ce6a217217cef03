package op_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"idp/store"
)

// compact writes a JWT as it is told to, where a library would refuse or mend it.
func compact(t *testing.T, header, claims map[string]any, sign func(input []byte) []byte) string {
	t.Helper()
	var parts []string
	for _, v := range []map[string]any{header, claims} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	input := strings.Join(parts, ".")
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func with(m map[string]any, pairs ...any) map[string]any {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(m, pairs[i].(string))
		} else {
			m[pairs[i].(string)] = pairs[i+1]
		}
	}
	return m
}

func digest(input []byte) []byte { sum := sha256.Sum256(input); return sum[:] }

func byES256(key *ecdsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		r, s, _ := ecdsa.Sign(rand.Reader, key, digest(input))
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
}

func byASN1(key *ecdsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte { out, _ := ecdsa.SignASN1(rand.Reader, key, digest(input)); return out }
}

func byHS256(secret []byte) func([]byte) []byte {
	return func(input []byte) []byte { h := hmac.New(sha256.New, secret); h.Write(input); return h.Sum(nil) }
}

// constant is a signature that has nothing to do with what it signs.
func constant(signature []byte) func([]byte) []byte { return func([]byte) []byte { return signature } }

// lure serves a stranger's keys, and counts who comes for them.
func lure(t *testing.T, set jose.JSONWebKeySet) (url string, visits *atomic.Int32) {
	t.Helper()
	visits = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		visits.Add(1)
		_ = json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(s.Close)
	return s.URL, visits
}

// forgeries are tokens with the given header and claims that nobody may take for ones
// that owner signed. owner's key is used only where the header is what is wrong.
func forgeries(t *testing.T, owner *ecdsa.PrivateKey, header, claims map[string]any) (tokens map[string]string, visits *atomic.Int32) {
	t.Helper()
	stranger := newECKey(t)
	public := jose.JSONWebKey{Key: stranger.Public(), KeyID: "evil", Algorithm: "ES256"}
	jwk := map[string]any{}
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &jwk); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, stranger.Public(), stranger)
	if err != nil {
		t.Fatal(err)
	}
	at, visits := lure(t, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	spki, err := x509.MarshalPKIXPublicKey(owner.Public())
	if err != nil {
		t.Fatal(err)
	}
	point, err := owner.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	asJWK, err := jose.JSONWebKey{Key: owner.Public()}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	forged := func(sign func([]byte) []byte, changes ...any) string {
		return compact(t, with(header, changes...), claims, sign)
	}
	theirs, genuine := byES256(stranger), byES256(owner)
	good := forged(genuine)
	parts := strings.Split(good, ".")
	zero, err := asn1.Marshal([]int{0, 0})
	if err != nil {
		t.Fatal(err)
	}
	tokens = map[string]string{
		"a stranger's key":                  forged(theirs),
		"a stranger's key, no kid":          forged(theirs, "kid", nil),
		"a kid that is a path":              forged(theirs, "kid", "../../../../dev/null"),
		"a kid that is SQL":                 forged(theirs, "kid", "' UNION SELECT '"),
		"a kid that is no text":             forged(theirs, "kid", 7),
		"jwk: it brings its key":            forged(theirs, "jwk", jwk),
		"jwk, no kid":                       forged(theirs, "jwk", jwk, "kid", nil),
		"jwk, its kid":                      forged(theirs, "jwk", jwk, "kid", "evil"),
		"jku: it says where its key is":     forged(theirs, "jku", at),
		"jku, its kid":                      forged(theirs, "jku", at, "kid", "evil"),
		"x5u: it says where its key is":     forged(theirs, "x5u", at, "kid", nil),
		"x5c: it brings its certificate":    forged(theirs, "x5c", []string{base64.StdEncoding.EncodeToString(cert)}, "kid", nil),
		"crit: something unknown":           forged(genuine, "crit", []string{"https://evil.example/ext"}, "https://evil.example/ext", true),
		"crit: exp":                         forged(genuine, "crit", []string{"exp"}, "exp", 1),
		"crit: no list":                     forged(genuine, "crit", "exp"),
		"alg none, with our signature":      forged(genuine, "alg", "none"),
		"alg None":                          forged(constant(nil), "alg", "None"),
		"alg nOnE":                          forged(constant(nil), "alg", "nOnE"),
		"alg empty":                         forged(constant(nil), "alg", ""),
		"no alg":                            forged(genuine, "alg", nil),
		"no signature":                      forged(constant(nil)),
		"r = s = 0":                         forged(constant(make([]byte, 64))),
		"r = s = 0, ASN.1":                  forged(constant(zero)),
		"ASN.1 instead of two halves":       forged(byASN1(owner)),
		"HS256 with the public key (SPKI)":  forged(byHS256(spki), "alg", "HS256"),
		"HS256 with the public key (point)": forged(byHS256(point), "alg", "HS256"),
		"HS256 with the public key (JWK)":   forged(byHS256(asJWK), "alg", "HS256"),
		"HS256 with the client secret":      forged(byHS256([]byte(secret)), "alg", "HS256"),
		"HS256 with nothing":                forged(byHS256(nil), "alg", "HS256"),
		"another curve's alg":               forged(genuine, "alg", "ES384"),
		"another family's alg":              forged(genuine, "alg", "RS256"),
		"other claims, our signature":       parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"mallory"}`)) + "." + parts[2],
		"another header, our signature":     strings.Split(forged(genuine, "x", 1), ".")[0] + "." + parts[1] + "." + parts[2],
		"cut":                               good[:len(good)-1],
		"longer":                            good + "A",
		"four parts":                        good + ".AAAA",
		"five parts, as if encrypted":       good + ".AAAA.AAAA",
		"padded":                            good + "==",
		"in JSON":                           `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
	}
	for i := range 64 { // each byte of the signature counts
		b, _ := base64.RawURLEncoding.DecodeString(parts[2])
		b[i] ^= 1
		tokens["signature changed at "+string(rune('0'+i/10))+string(rune('0'+i%10))] = parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(b)
	}
	return tokens, visits
}

// signingKey opens the provider's own key, as only somebody with secret and database can.
func (f *fixture) signingKey(alg string) (kid string, key crypto.Signer) {
	f.Helper()
	keys, err := f.db.SigningKeys(f.Context())
	f.must(err)
	for _, k := range keys {
		if k.Alg == alg {
			der, err := ring.Sealer("signing key").Open(k.Sealed, []byte(k.ID))
			f.must(err)
			private, err := x509.ParsePKCS8PrivateKey(der)
			f.must(err)
			return k.ID, private.(crypto.Signer)
		}
	}
	f.Fatalf("no key for %s", alg)
	return "", nil
}

// An ID token as a hint is only one that was signed here, with the key that its kid names
// and that key's algorithm, as an ID token. Nothing in its header can bring a key along.
func TestForgedHints(t *testing.T) {
	t.Parallel()
	f, hint := farewell(t)
	kid, signer := f.signingKey("ES256")
	ours := signer.(*ecdsa.PrivateKey)
	header, claims := parts(t, hint)
	silently := func(hint string) string {
		return query(t, f.authorize("client_id", "app", "prompt", "none", "id_token_hint", hint).Header.Get("Location")).Get("error")
	}
	if kid != header["kid"] || silently(compact(t, header, claims, byES256(ours))) != "" {
		t.Fatal("a token made as ours are is refused: all below says nothing")
	}
	forged, visits := forgeries(t, ours, header, claims)

	rsaKid, rsaKey := f.signingKey("RS256")
	byRSA := func(options crypto.SignerOpts) func([]byte) []byte {
		return func(input []byte) []byte { out, _ := rsaKey.Sign(rand.Reader, digest(input), options); return out }
	}
	genuine := byES256(ours)
	for name, token := range map[string]string{
		"the kid of the RSA key":      compact(t, with(header, "kid", rsaKid), claims, genuine),
		"RSA under the ES256 kid":     compact(t, with(header, "alg", "RS256"), claims, byRSA(crypto.SHA256)),
		"PS256 with the RS256 key":    compact(t, with(header, "alg", "PS256", "kid", rsaKid), claims, byRSA(&rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256})),
		"no kid":                      compact(t, with(header, "kid", nil), claims, genuine),
		"an access token's typ":       compact(t, with(header, "typ", "at+jwt"), claims, genuine),
		"a logout token's typ":        compact(t, with(header, "typ", "logout+jwt"), claims, genuine),
		"no typ":                      compact(t, with(header, "typ", nil), claims, genuine),
		"another issuer":              compact(t, header, with(claims, "iss", "https://evil.example/oidc"), genuine),
		"no issuer":                   compact(t, header, with(claims, "iss", nil), genuine),
		"another client":              compact(t, header, with(claims, "aud", "shop"), genuine),
		"a list of clients":           compact(t, header, with(claims, "aud", []string{"app", "shop"}), genuine),
		"no client":                   compact(t, header, with(claims, "aud", nil), genuine),
		"no subject":                  compact(t, header, with(claims, "sub", nil), genuine),
		"a subject that is no text":   compact(t, header, with(claims, "sub", 7), genuine),
		"nothing but a list of parts": "..",
	} {
		forged[name] = token
	}
	for name, token := range forged {
		if got := silently(token); got != "invalid_request" {
			t.Errorf("authorize, %s: %q", name, got)
		}
		if name == "another client" { // it names that client, and is good for it
			continue
		}
		f.asked = nil
		r := f.end("id_token_hint", token, "client_id", "app", "post_logout_redirect_uri", goodbye)
		if r.Header.Get("Location") != "" || len(f.asked) != 1 || f.asked[0].RedirectURI != "" || f.cleared > 0 {
			t.Fatalf("sign-out, %s: %d %v %+v", name, r.StatusCode, r.Header, f.asked)
		}
	}
	if visits.Load() > 0 {
		t.Error("a key was fetched from where the token said")
	}
	if !f.isSignedIn() {
		t.Error("signed out")
	}
	if got := silently(compact(t, with(header, "alg", "RS256", "kid", rsaKid), claims, byRSA(crypto.SHA256))); got != "" {
		t.Errorf("a hint under the RSA key, rightly signed: %s", got)
	}
}

// A client assertion is one that the client's registered key signed; its header brings no
// key along either, and no address is asked for one.
func TestForgedAssertions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	key, other := newECKey(t), newECKey(t)
	set := func(keys ...jose.JSONWebKey) string {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		f.must(err)
		return string(text)
	}
	f.client(store.Client{ID: "keyed", Type: store.Traditional, PKCE: true, JWKS: set(
		jose.JSONWebKey{Key: newECKey(t).Public(), KeyID: "old"}, jose.JSONWebKey{Key: key.Public(), KeyID: "new", Algorithm: "ES256"})})
	f.client(store.Client{ID: "rival", Type: store.Traditional, PKCE: true, JWKS: set(jose.JSONWebKey{Key: other.Public(), KeyID: "new"})})
	now := f.db.Now()
	claims := map[string]any{"iss": "keyed", "sub": "keyed", "aud": f.provider.Issuer(), "exp": now.Add(time.Minute).Unix(), "jti": rand.Text()}
	header := map[string]any{"alg": "ES256", "kid": "new"}
	code := f.enter("ada@example.com", "client_id", "keyed")

	forged, visits := forgeries(t, key, header, claims)
	_, ours := f.signingKey("ES256")
	idToken := f.tokens(f.exchange(f.code())).ID
	for name, token := range map[string]string{
		"the kid of another of its keys": compact(t, with(header, "kid", "old"), claims, byES256(key)),
		"an unknown kid":                 compact(t, with(header, "kid", "newer"), claims, byES256(key)),
		"another client's key":           compact(t, header, claims, byES256(other)),
		"the provider's key":             compact(t, header, claims, byES256(ours.(*ecdsa.PrivateKey))),
		"an ID token of ours":            idToken,
		"a payload that is not encoded":  compact(t, with(header, "b64", false, "crit", []string{"b64"}), claims, byES256(key)),
		"aud of an endpoint it is not":   compact(t, header, with(claims, "aud", f.provider.Issuer()+"/auth"), byES256(key)),
		"aud of somebody below us":       compact(t, header, with(claims, "aud", f.provider.Issuer()+".evil.example"), byES256(key)),
		"aud in another case":            compact(t, header, with(claims, "aud", strings.ToUpper(f.provider.Issuer())), byES256(key)),
		"exp as text":                    compact(t, header, with(claims, "exp", "9999999999"), byES256(key)),
		"exp in milliseconds":            compact(t, header, with(claims, "exp", now.Add(time.Minute).UnixMilli()), byES256(key)),
		"exp beyond all numbers":         compact(t, header, with(claims, "exp", 1e300), byES256(key)),
		"a jti that is no text":          compact(t, header, with(claims, "jti", 7), byES256(key)),
		"a long jti":                     compact(t, header, with(claims, "jti", strings.Repeat("j", 257)), byES256(key)),
	} {
		forged[name] = token
	}
	for name, token := range forged {
		r := f.assert(code, token)
		if r.StatusCode != http.StatusUnauthorized {
			body, _ := io.ReadAll(r.Body)
			t.Errorf("%s: %d %s", name, r.StatusCode, body)
			continue
		}
		fails(t, r, http.StatusUnauthorized, "invalid_client")
	}
	if visits.Load() > 0 {
		t.Error("a key was fetched from where the assertion said")
	}
	f.tokens(f.assert(code, compact(t, header, claims, byES256(key)))) // none of it used up the code or the jti
}
