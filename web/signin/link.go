package signin

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"idp/store"
	"idp/web/page"
	"idp/web/problem"
)

// linkPath is where a link in a mail leads that signs in.
const linkPath = "/verify/link"

// maxMailLink is how long such a link may be: some mail programs break longer ones. It
// carries the app's request, and an app's state may have 2 kB. The mail of one that
// would be longer has its code only.
const maxMailLink = 1800

// signInLink is what is sealed in a link: a code with what it is typed into. Anybody who
// reads the mail may open it, in any browser; what it is good for there is told apart by
// r, which opens in one browser only. Fields are only ever added, so that links stay
// readable one release back and forward; V moves when that is not possible.
type signInLink struct {
	V         int           `json:"v"`
	Challenge []byte        `json:"i"`
	Purpose   store.Purpose `json:"p"`
	Email     store.Email   `json:"e"`
	Code      string        `json:"o"`
	Until     time.Time     `json:"x"`
	App       string        `json:"a"`
	R         []byte        `json:"-"` // follows the JSON: in it, it would grow by a third
}

// linkTo gives the function that makes the links of a challenge.
func (p *Pages) linkTo(v *visit, c challenge) func(store.ID, string, time.Time) string {
	return func(id store.ID, code string, until time.Time) string {
		r, err := store.DecodeBase64URL(v.sealed)
		if err != nil {
			return ""
		}
		text, err := json.Marshal(signInLink{V: 1, Challenge: id[:], Purpose: c.Purpose, Email: c.Email, Code: code, Until: until.Truncate(time.Second), App: v.client.Name})
		if err != nil {
			panic(err) // text and numbers
		}
		text = append(append(text, 0), r...)
		link := strings.TrimRight(p.Endpoint.String(), "/") + linkPath + "?t=" + base64.RawURLEncoding.EncodeToString(p.links.Seal(text, nil))
		if len(link) > maxMailLink {
			return ""
		}
		return link
	}
}

// openLink reads t; false if it is not ours.
func (p *Pages) openLink(sealed string) (l signInLink, ok bool) {
	raw, err := store.DecodeBase64URL(sealed)
	if err != nil {
		return l, false
	}
	text, err := p.links.Open(raw, nil)
	if err != nil {
		return l, false
	}
	head, r, _ := strings.Cut(string(text), "\x00")
	if err := json.Unmarshal([]byte(head), &l); err != nil || l.V != 1 || len(l.Challenge) != len(store.ID{}) {
		return l, false
	}
	l.R = []byte(r)
	return l, true
}

// getLink is GET /verify/link. It changes nothing: programs that check mails open links,
// too. In the browser that asked for the code it shows a button, which sends the code the
// way the code page does; anywhere else it shows the code, which has to be typed there.
func (p *Pages) getLink(v *visit) error {
	l, ok := p.openLink(v.form.Get("t"))
	if !ok {
		return problem.New("broken", http.StatusBadRequest)
	}
	here := linkPath + "?t=" + v.form.Get("t")
	v.form.Set("r", base64.RawURLEncoding.EncodeToString(l.R))
	if err := p.open(v); err != nil {
		if store.CodeOf(err) != "" { // the database's
			return err
		}
		return p.showElsewhere(v, l, here)
	}
	c := challenge{ID: store.ID(l.Challenge), Request: v.request.ID, Purpose: l.Purpose, Email: l.Email, ExpiresAt: l.Until}
	v.form.Set("c", p.sealChallenge(c, v.browser))
	if v.restarted {
		return p.showAgain(v, "expired", c)
	}
	st, err := p.Codes.State(v.r.Context(), c.ID, v.browser)
	switch {
	case store.CodeOf(err) == store.NotFound:
		return problem.New("gone", http.StatusGone)
	case err != nil:
		return err
	case st.Consumed:
		return problem.New("used", http.StatusGone)
	case !p.Now().Before(st.ExpiresAt), !p.Now().Before(l.Until):
		return p.showAgain(v, "expired", c)
	case st.TriesLeft <= 0:
		return p.showAgain(v, "spent", c)
	}
	c.ExpiresAt, c.Sends, c.Length = st.ExpiresAt, st.Sends, st.Length
	if st.SendsLeft > 0 {
		c.NextSend = st.NextSend
	}
	data := p.view(v)
	data.C, data.Email, data.Typed = p.sealChallenge(c, v.browser), page.Address(c.Email), l.Code
	data.serves(c.Purpose)
	return p.render(v, http.StatusOK, "link", here, data)
}

// showElsewhere shows the code of a link that was opened in another browser than the one
// that waits for it.
func (p *Pages) showElsewhere(v *visit, l signInLink, here string) error {
	p.switchLanguage(v)
	if !p.Now().Before(l.Until) {
		return problem.New("late", http.StatusGone)
	}
	v.request, v.client, v.sealed = store.AuthRequest{}, store.Client{Name: l.App}, ""
	data := p.view(v)
	data.Groups, data.Long = strings.Split(l.Code, "-"), len(l.Code) > store.MaxDigits
	return p.render(v, http.StatusOK, "elsewhere", here, data)
}
