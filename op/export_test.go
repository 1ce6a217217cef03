package op

import (
	"context"
	"testing"
	"time"

	"idp/store"
)

// MeasureIDToken measures claims, at_hash and signature of one ID token.
func MeasureIDToken(b *testing.B, alg string) {
	key, err := generate(alg)
	if err != nil {
		b.Fatal(err)
	}
	sign, err := newSigner("kid-of-43-characters-xxxxxxxxxxxxxxxxxxxxxxx", alg, key)
	if err != nil {
		b.Fatal(err)
	}
	p := &Provider{issuer: "https://id.example.com/oidc", store: clock{}, config: Config{}.withDefaults()}
	g := store.Grant{Client: "0123456789abcdefghijk", Scopes: []string{scopeOpenID, scopeProfile, scopeEmail}, AMR: []string{"otp"},
		AuthTime: time.Now(), User: store.User{ID: "0123456789ab", Email: "ada@example.com", CreatedAt: time.Now(), UpdatedAt: time.Now()}}
	token := encode(make([]byte, accessTokenSize))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.idToken(sign, g, token); err != nil {
			b.Fatal(err)
		}
	}
}

type clock struct{ Store }

func (clock) Now() time.Time { return time.Now() }

// NoteUsedForTest writes down at once which secrets were used.
func (p *Provider) NoteUsedForTest(ctx context.Context) { p.noteUsed(ctx) }
