package op

import (
	"context"
	"encoding/json"

	jose "github.com/go-jose/go-jose/v4"
)

// hint is what an ID token says that a client sends back to us (id_token_hint). It may
// have expired: it tells who is meant, and lets nobody in.
type hint struct {
	Subject string `json:"sub"`
	Session string `json:"sid"`
	Issuer  string `json:"iss"`
	Client  string `json:"aud"` // a string: a list is not one of ours
}

const maxHint = 8 << 10

// readHint reads an ID token that this provider signed, with a key that is still
// published; false for anything else. That key decides over the algorithm, not the
// token's header. Only ID tokens are typed "JWT" here.
func (p *Provider) readHint(ctx context.Context, text string) (hint, bool) {
	var h hint
	if len(text) > maxHint {
		return h, false
	}
	token, err := jose.ParseSignedCompact(text, algorithms(algsSupported))
	if err != nil {
		return h, false
	}
	set, err := p.currentKeys(ctx)
	if err != nil {
		return h, false
	}
	header := token.Signatures[0].Header
	key, ok := set.published[header.KeyID]
	if !ok || key.Algorithm != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != "JWT" {
		return h, false
	}
	payload, err := token.Verify(key.Key)
	if err != nil || json.Unmarshal(payload, &h) != nil || h.Issuer != p.issuer || h.Subject == "" || h.Client == "" {
		return hint{}, false
	}
	return h, true
}
