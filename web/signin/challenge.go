package signin

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"idp/store"
)

// challenge is the content of c: what the code page shows, so that it needs no
// database. Fields are only ever added, so that c stays readable one release back
// and forward; V moves when that is not possible.
type challenge struct {
	V         int           `json:"v"`
	ID        store.ID      `json:"i"`
	Request   store.ID      `json:"q"`
	Purpose   store.Purpose `json:"p"`
	Email     store.Email   `json:"e"`
	NextSend  time.Time     `json:"n"` // zero: no more codes
	ExpiresAt time.Time     `json:"x"`
	Sends     int           `json:"s"`
	SentAt    time.Time     `json:"t,omitzero"`  // of the newest mail
	Agreed    bool          `json:"g,omitempty"` // to the terms, by a tick
	Bounced   bool          `json:"b,omitempty"` // the address takes no mail: there was none
}

// took notes what a send changed.
func (c challenge) took(b store.Begun) challenge {
	c.ID, c.NextSend, c.ExpiresAt, c.Sends = b.ID, b.NextSend, b.ExpiresAt, b.Sends
	c.SentAt, c.Bounced = b.SentAt, b.Suppressed
	return c
}

func (p *Pages) sealChallenge(c challenge, browser store.Hash) string {
	c.V = 1
	switch c.Purpose { // that a release before does not know, and must not take for a sign-in
	case store.PurposeRecover:
		c.V = 2
	case store.PurposeConsole:
		c.V = 3
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // text and numbers
	}
	return base64.RawURLEncoding.EncodeToString(p.challenges.Seal(text, browser[:]))
}

// openChallenge reads c; false if it is not ours or another browser's.
func (p *Pages) openChallenge(sealed string, browser store.Hash) (challenge, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil {
		return challenge{}, false
	}
	text, err := p.challenges.Open(raw, browser[:])
	if err != nil {
		return challenge{}, false
	}
	var c challenge
	if err := json.Unmarshal(text, &c); err != nil || c.V < 1 || c.V > 3 {
		return challenge{}, false
	}
	return c, true
}
