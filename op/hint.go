package op

import "context"

// hint is what an ID token says that a client sends back to us (id_token_hint). It may
// have expired: it tells who is meant, and lets nobody in.
type hint struct {
	Subject string `json:"sub"`
	Session string `json:"sid"`
	Issuer  string `json:"iss"`
	Client  string `json:"aud"` // a string: a list is not one of ours
}

// readHint reads an ID token of ours; false for anything else.
func (p *Provider) readHint(ctx context.Context, text string) (hint, bool) {
	var h hint
	if p.readOwn(ctx, text, typID, &h) != nil || h.Issuer != p.issuer || h.Subject == "" || h.Client == "" {
		return hint{}, false
	}
	return h, true
}
