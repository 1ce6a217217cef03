package signin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"idp/store"
	"idp/store/address"
	"idp/web/page"
)

// Begin shows the first page of a validated authorization request.
func (p *Pages) Begin(w http.ResponseWriter, r *http.Request, req store.AuthRequest, client store.Client) {
	v := p.newVisit(w, r)
	v.browser = p.Browser.Ensure(w, r)
	p.belong(v, req, client)
	if v.sealed == "" {
		v.sealed = p.Requests.Seal(v.request, v.browser)
	}
	data := p.view(v)
	data.Typed = req.LoginHint
	data.Again = r.URL.RawQuery
	if err := p.showAddress(v, req.Screen == store.ScreenRegister, http.StatusOK, data); err != nil {
		p.answer(v, err)
	}
}

// getAddress is GET /sign-in and GET /register.
func (p *Pages) getAddress(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	data := p.view(v)
	data.Typed, data.Again = v.request.LoginHint, v.form.Get("again")
	if c, ok := p.openChallenge(v.form.Get("c"), v.browser); ok {
		data.Typed = shown(c.Email)
	}
	return p.showAddress(v, v.r.URL.Path == "/register", http.StatusOK, data)
}

// showAddress shows the address page. data says what is particular about it.
func (p *Pages) showAddress(v *visit, register bool, status int, data *view) error {
	if len(v.sealed)+len(url.QueryEscape(data.Again)) <= maxLink {
		v.again = data.Again
	}
	if status != http.StatusOK || data.Typed != "" || v.restarted {
		return p.templates.Render(v.w, status, v.lang, "address", p.address(v, register, data))
	}
	type variant struct {
		app                     string
		register, again, linked bool
	}
	return p.templates.Splice(v.w, status, v.lang, "address", variant{v.client.Name, register, data.Again != "", v.again != ""}, func(marks []string) any {
		marked := *v
		marked.sealed = marks[0]
		plain := p.view(&marked)
		if data.Again != "" {
			plain.Again = marks[1]
		}
		if v.again != "" {
			marked.again = marks[2]
		}
		return p.address(&marked, register, plain)
	}, v.sealed, data.Again, url.QueryEscape(v.again))
}

// address completes the view of the address page.
func (p *Pages) address(v *visit, register bool, data *view) *view {
	data.Register, data.Restarted = register, v.restarted
	here, other := "/sign-in", "/register"
	if register {
		here, other = other, here
	}
	data.Other = v.address(other, "again", v.again)
	p.addLanguages(v, v.address(here, "again", v.again), data)
	return data
}

// postAddress is POST /sign-in and POST /register: it has a code mailed.
func (p *Pages) postAddress(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	register := v.r.URL.Path == "/register"
	data := p.view(v)
	data.Typed = strings.TrimSpace(v.form.Get("email"))
	data.Again = v.form.Get("again")
	if v.restarted {
		return p.showAddress(v, register, http.StatusOK, data)
	}
	email, err := address.Parse(data.Typed)
	switch {
	case data.Typed == "":
		data.Error = "empty"
		return p.showAddress(v, register, http.StatusUnprocessableEntity, data)
	case err != nil:
		data.Error = "address"
		return p.showAddress(v, register, http.StatusUnprocessableEntity, data)
	}
	c := challenge{Request: v.request.ID, Purpose: purposeOf(v.r.URL.Path), Email: email}
	begun, err := p.Codes.Begin(v.r.Context(), p.attempt(v, c))
	if store.CodeOf(err) == store.Limited {
		wait := waitOf(err)
		data.Error, data.Minutes = "limited", minutes(wait)
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		return p.showAddress(v, register, http.StatusTooManyRequests, data)
	}
	if err != nil {
		return err
	}
	return p.toCode(v, c.took(begun))
}

// attempt is what the code engine is told.
func (p *Pages) attempt(v *visit, c challenge) store.Attempt {
	return store.Attempt{
		Purpose: c.Purpose, Email: c.Email, Browser: v.browser, Request: v.request.ID, IP: p.ClientIP(v.r),
		Locale: v.lang.Tag, App: v.client.Name, BrowserName: browserName(v.r.UserAgent()),
	}
}

// toCode sends the browser to the code page.
func (p *Pages) toCode(v *visit, c challenge) error {
	return seeOther(v, v.address("/verify", "c", p.sealChallenge(c, v.browser)))
}

func seeOther(v *visit, to string) error {
	page.SeeOther(v.w, to)
	return nil
}

// cancel is GET /cancel: the person turns back.
func (p *Pages) cancel(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	return seeOther(v, p.Requests.Cancel(v.request))
}
