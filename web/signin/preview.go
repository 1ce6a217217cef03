package signin

import (
	"net/http"
	"net/url"
	"time"

	"idp/store"
	"idp/web/page"
)

// example is who signs in on a preview.
const example = store.Email("ada@example.com")

// Preview shows a page with an experience that is not saved, made of the templates that
// people get. It reads and writes nothing.
func (p *Pages) Preview(w http.ResponseWriter, r *http.Request, shown page.Preview) error {
	v := p.previewVisit(w, r, shown)
	page.ProtectPreview(w, v.look)
	data := p.view(v)
	switch shown.Screen {
	case page.ScreenCode, page.ScreenWrong:
		return p.previewCode(v, data, shown.Screen == page.ScreenWrong)
	case page.ScreenClosed:
		return p.render(v, http.StatusOK, "closed", v.restart(), data)
	case page.ScreenRefused:
		data.Typed, data.Error = string(example), "blocked"
		return p.previewAddress(v, store.PurposeRegister, data)
	case page.ScreenRegister:
		return p.previewAddress(v, store.PurposeRegister, data)
	case page.ScreenRecover:
		return p.previewAddress(v, store.PurposeRecover, data)
	}
	return p.previewAddress(v, store.PurposeSignIn, data)
}

// previewVisit is a visit of nobody, on the way to an app.
func (p *Pages) previewVisit(w http.ResponseWriter, r *http.Request, shown page.Preview) *visit {
	v := &visit{
		w: w, r: r, form: url.Values{}, sealed: "preview", client: shown.Client, lang: p.languages.Find(shown.Language),
		experience: shown.Experience.For(shown.Client.Experience), look: page.PreviewLook(shown, p.files),
	}
	if v.lang == nil {
		v.lang = p.languages.Choose(store.LanguageInfo{Fallback: v.experience.Language.Fallback}, nil, "", "")
	}
	if v.client.ID == "" {
		v.client = p.self
	}
	v.client.Name = v.client.Title()
	return v
}

func (p *Pages) previewAddress(v *visit, purpose store.Purpose, data *view) error {
	return p.templates.Render(v.w, http.StatusOK, v.lang, "address", p.address(v, v.serves(purpose), data))
}

func (p *Pages) previewCode(v *visit, data *view, wrong bool) error {
	const wait = 47 * time.Second // of a person who has looked into the mailbox
	data.Email, data.Mail = page.Address(example), "sent"
	data.Clock = clockHTML(clock(wait))
	if wrong {
		data.Typed, data.Error, data.Tries = "123456"[:min(p.Digits, 6)], "wrong", max(v.experience.Codes.Tries, 2)-1
	}
	c := challenge{Purpose: v.serves(store.PurposeSignIn), Email: example, Sends: 1, NextSend: p.Now().Add(wait)}
	return p.templates.Render(v.w, http.StatusOK, v.lang, "code", p.code(v, c, data))
}
