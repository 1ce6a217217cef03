package signin

import (
	"net/http"
	"strings"

	"idp/store"
	"idp/store/address"
	"idp/web/form"
	"idp/web/problem"
)

// NotMePath is where the link of every mail leads, for those who did not ask for it.
const NotMePath = "/not-me"

// disowned reads the link that a page or form is about.
func (p *Pages) disowned(v *visit) (store.Disowned, error) {
	d, err := p.Codes.Disowned(v.form.Get("t"))
	switch store.CodeOf(err) {
	case "":
		return d, err
	case store.Expired:
		return d, problem.New("late", http.StatusGone)
	}
	return d, problem.New("broken", http.StatusBadRequest)
}

// getNotMe is GET /not-me. It changes nothing: programs that check mails open links, too.
func (p *Pages) getNotMe(v *visit) error {
	d, err := p.disowned(v)
	if err != nil {
		return err
	}
	return p.askNotMe(v, d, http.StatusOK)
}

// askNotMe shows what was asked for, and a button for who did not ask.
func (p *Pages) askNotMe(v *visit, d store.Disowned, status int) error {
	data := p.aboutMail(v, d)
	data.Stale = status != http.StatusOK
	return p.render(v, status, "not_me", notMeAt(v), data)
}

// postNotMe is POST /not-me: the button, and on the page after it the one that has mails
// sent to any browser again.
func (p *Pages) postNotMe(v *visit) error {
	d, err := p.disowned(v)
	if err != nil {
		return err
	}
	// The link lets in who reads the mail. The token tells that a person saw the page:
	// it is bound to the browser, and the address to the token.
	browser, known := p.Browser.Hash(v.r)
	if !known || !form.Matches(v.form.Get("f"), p.notMe, browser[:], d.Challenge[:]) {
		return p.askNotMe(v, d, http.StatusForbidden)
	}
	if v.form.Get("unmute") == "1" {
		if err := p.Codes.Unmute(v.r.Context(), d); err != nil {
			return p.retryNotMe(v, err)
		}
		return p.render(v, http.StatusOK, "unmuted", notMeAt(v), p.aboutMail(v, d))
	}
	undone, err := p.Codes.NotMe(v.r.Context(), d)
	if err != nil {
		return p.retryNotMe(v, err)
	}
	p.Log.InfoContext(v.r.Context(), "a challenge was disowned", "to", address.Mask(d.Email), "request_id", reference(v.r))
	data := p.aboutMail(v, d)
	data.SignedOut, data.Until = undone.SignedOut, undone.MutedUntil
	return p.render(v, http.StatusOK, "disowned", notMeAt(v), data)
}

// retryNotMe has the page of an error lead back to the question.
func (p *Pages) retryNotMe(v *visit, err error) error {
	return problem.At(notMeAt(v), err)
}

// aboutMail starts the view of a page about a mail that somebody did not ask for.
func (p *Pages) aboutMail(v *visit, d store.Disowned) *view {
	p.switchLanguage(v)
	v.browser = p.Browser.Ensure(v.w, v.r)
	v.client = store.Client{Name: d.App}
	if d.App == "" {
		v.client = p.self
	}
	data := p.view(v)
	data.Restart = ""
	data.Email, data.Asked, data.Place = address.Mask(d.Email), d.Asked, d.Place
	data.Browser, data.System, _ = strings.Cut(d.BrowserName, " on ") // as BrowserName writes it
	data.Link, data.T = v.form.Get("t"), form.Token(p.notMe, v.browser[:], d.Challenge[:])
	return data
}

func notMeAt(v *visit) string { return NotMePath + "?t=" + v.form.Get("t") }
