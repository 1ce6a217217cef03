package otp

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"idp/keyring"
	"idp/store"
)

// notMeTTL is how long the link in a mail is good: whoever comes back from a holiday to
// a mail that they did not ask for can still throw out who got in.
const notMeTTL = 30 * 24 * time.Hour

// notMe makes and reads the links for those who did not ask for a mail.
type notMe struct {
	page   string
	seals  *keyring.Sealer
	events *keyring.MAC
}

// disowning is what is sealed in a link. It names all that has to be undone, so that
// the link outlives its challenge. Fields are only ever added, so that links stay
// readable one release back and forward; V moves when that is not possible.
type disowning struct {
	V         int         `json:"v"`
	Challenge []byte      `json:"c"`
	Browser   []byte      `json:"b"`
	Email     store.Email `json:"e"`
	Asked     int64       `json:"t"` // seconds since 1970
	App       string      `json:"a,omitempty"`
	Agent     string      `json:"n,omitempty"`
	Place     string      `json:"p,omitempty"`
}

// maxAppInLink bounds what an app's name adds to the link.
const maxAppInLink = 60

func (n notMe) link(m store.Message, challenge store.ID, browser store.Hash) string {
	if n.page == "" {
		return ""
	}
	d := disowning{V: 1, Challenge: challenge[:], Browser: browser[:], Email: m.To, Asked: m.Asked.Unix(), App: m.App, Agent: m.Browser, Place: m.Place}
	if len(d.App) > maxAppInLink {
		d.App = ""
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // text and numbers
	}
	return n.page + "?t=" + base64.RawURLEncoding.EncodeToString(n.seals.Seal(text, nil))
}

// Disowned reads the parameter t of a link for those who did not ask. Errors:
// [store.Invalid], and [store.Expired] after 30 days.
func (e *Engine) Disowned(token string) (store.Disowned, error) {
	const op = "read link"
	invalid := &store.Error{Code: store.Invalid, Op: op}
	raw, err := store.DecodeBase64URL(token)
	if err != nil {
		return store.Disowned{}, invalid
	}
	text, err := e.notMe.seals.Open(raw, nil)
	if err != nil {
		return store.Disowned{}, invalid
	}
	var d disowning
	if err := json.Unmarshal(text, &d); err != nil || d.V != 1 || len(d.Challenge) != len(store.ID{}) || len(d.Browser) != len(store.Hash{}) {
		return store.Disowned{}, invalid
	}
	out := store.Disowned{
		Challenge: store.ID(d.Challenge), Browser: store.Hash(d.Browser), Email: d.Email,
		Asked: time.Unix(d.Asked, 0).UTC(), App: d.App, BrowserName: d.Agent, Place: d.Place,
	}
	if e.store.Now().Sub(out.Asked) > notMeTTL {
		return store.Disowned{}, &store.Error{Code: store.Expired, Op: op}
	}
	out.Address, out.Former = e.Address(out.Email)
	out.Event = out.Challenge // said twice, it is one event
	sum := e.notMe.events.Sum(out.Challenge[:])
	copy(out.Event[6:], sum[:])
	return out, nil
}

// NotMe takes a challenge back, with all that came from it, and has unknown browsers
// get no mail sent to its address for a day. The error is [store.Unavailable].
func (e *Engine) NotMe(ctx context.Context, d store.Disowned) (store.Undone, error) {
	return e.store.NotMe(ctx, d)
}

// Unmute lets mails go out again as before. The error is [store.Unavailable].
func (e *Engine) Unmute(ctx context.Context, d store.Disowned) error {
	return e.store.Unmute(ctx, d)
}

// Address is [Addresses.Address] of the engine's instance.
func (e *Engine) Address(of store.Email) (now, former store.Hash) { return e.addrs.Address(of) }
