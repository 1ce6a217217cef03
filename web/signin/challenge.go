package signin

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"idp/keyring/flat"
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
	Length    int           `json:"d,omitempty"` // of the newest code; 0: the usual
}

// took notes what a send changed.
func (c challenge) took(b store.Begun) challenge {
	c.ID, c.NextSend, c.ExpiresAt, c.Sends = b.ID, b.NextSend, b.ExpiresAt, b.Sends
	c.SentAt, c.Bounced, c.Length = b.SentAt, b.Suppressed, b.Length
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
	return base64.RawURLEncoding.EncodeToString(p.challenges.Seal(c.written(), browser[:]))
}

// openChallenge reads c; false if it is not ours or another browser's.
func (p *Pages) openChallenge(sealed string, browser store.Hash) (challenge, bool) {
	raw, err := store.DecodeBase64URL(sealed)
	if err != nil {
		return challenge{}, false
	}
	text, err := p.challenges.Open(raw, browser[:])
	if err != nil {
		return challenge{}, false
	}
	c, known := readChallenge(text)
	if !known { // of another release
		c = challenge{}
		if err := json.Unmarshal(text, &c); err != nil {
			return challenge{}, false
		}
	}
	return c, c.V >= 1 && c.V <= 3
}

// written is what encoding/json makes of c, at a tenth of the cost.
func (c challenge) written() []byte {
	var w flat.Writer
	w.Int("v", int64(c.V))
	w.Array("i", c.ID[:])
	w.Array("q", c.Request[:])
	w.Int("p", int64(c.Purpose))
	w.String("e", string(c.Email))
	w.Time("n", c.NextSend)
	w.Time("x", c.ExpiresAt)
	w.Int("s", int64(c.Sends))
	w.OmitTime("t", c.SentAt)
	w.OmitBool("g", c.Agreed)
	w.OmitBool("b", c.Bounced)
	if c.Length != 0 {
		w.Int("d", int64(c.Length))
	}
	return w.Bytes()
}

// readChallenge reads what [challenge.written] wrote; false for all else, which may be
// good all the same.
func readChallenge(text []byte) (c challenge, known bool) {
	known = flat.Read(text, func(name []byte, r *flat.Reader) {
		switch string(name) {
		case "v":
			c.V = int(r.Int())
		case "i":
			r.Array(c.ID[:])
		case "q":
			r.Array(c.Request[:])
		case "p":
			n := r.Int()
			if c.Purpose = store.Purpose(n); int64(c.Purpose) != n {
				r.Fail()
			}
		case "e":
			c.Email = store.Email(r.String())
		case "n":
			c.NextSend = r.Time()
		case "x":
			c.ExpiresAt = r.Time()
		case "s":
			c.Sends = int(r.Int())
		case "t":
			c.SentAt = r.Time()
		case "g":
			c.Agreed = r.Bool()
		case "b":
			c.Bounced = r.Bool()
		case "d":
			c.Length = int(r.Int())
		default: // of a release after this one
			r.Fail()
		}
	})
	return c, known
}
