package signin

import (
	"net/http"

	"idp/store"
	"idp/store/address"
	"idp/web/page"
)

// tokenPath is where a one-time token is used: one that an app has handed over in a mail of
// its own, and sent along with its request.
const tokenPath = "/one-time-token"

// tokenOf gives the address that the one-time token of a request is for; false if the
// request has none.
func tokenOf(req store.AuthRequest) (store.Email, bool) {
	if req.OneTimeToken == "" {
		return "", false
	}
	email, err := address.Parse(req.LoginHint)
	return email, err == nil
}

// showToken asks whether to go on with the token's address. Nothing is used up by looking:
// programs that check mails open links, too, and whoever follows a stranger's link should
// see whose account it leads into.
func (p *Pages) showToken(v *visit, status int, email store.Email) error {
	data := p.view(v)
	data.Terms = tokenTerms(v)
	if status != http.StatusOK {
		data.Terms.Missing = true
	}
	data.Email = page.Address(email)
	data.serves(opens(v.request))
	data.Other = v.address("/sign-in", "other", "1")
	return p.render(v, status, "token", v.address("/sign-in"), data)
}

// tokenTerms are those of who registers: nobody but the person is to know whether there is
// an account already. (Neither the mode nor the lists of addresses stand in a token's way:
// it was made for this very address, by who may set those.)
func tokenTerms(v *visit) *terms { return v.terms(store.PurposeRegister) }

// postToken is POST /one-time-token: it signs in with the token of the request.
func (p *Pages) postToken(v *visit) error {
	if err := p.open(v); err != nil {
		return err
	}
	email, ok := tokenOf(v.request)
	if !ok {
		return seeOther(v, v.restart())
	}
	if _, err := v.rules(); err != nil {
		return err
	}
	if tokenTerms(v).disagrees() {
		return p.showToken(v, http.StatusUnprocessableEntity, email)
	}
	agent := browserName(v.r.UserAgent())
	guess, err := p.Codes.TokenGuess(v.r.Context(), store.TokenTry{
		Token: v.request.OneTimeToken, Email: email, Browser: v.browser, Request: v.request.ID,
		Locale: v.lang.Tag, App: v.client.Name, BrowserName: agent,
	})
	dead := func() error {
		v.request.OneTimeToken = ""
		v.sealed = p.Requests.Seal(v.request, v.browser)
		return p.showAgain(v, "dead_link", challenge{Purpose: opens(v.request), Email: email})
	}
	if store.CodeOf(err) == store.NotFound {
		return dead()
	}
	if err != nil {
		return err
	}
	previous, _ := p.Browser.Session(v.r)
	finish := p.Requests.Finish(v.request, store.Proof{Challenge: guess.Challenge, Purpose: guess.Purpose, Previous: previous, Agent: agent})
	in, err := p.Codes.Verify(v.r.Context(), guess, finish.Completion)
	if err != nil {
		return err
	}
	switch in.Outcome {
	case store.OutcomeAccepted, store.OutcomeSuspended:
		return p.judged(v, challenge{Request: v.request.ID, Purpose: guess.Purpose, Email: email}, in, finish, p.view(v))
	}
	return dead()
}
