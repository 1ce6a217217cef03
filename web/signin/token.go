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
func (p *Pages) showToken(v *visit, email store.Email) error {
	guess, err := p.tokenGuess(v, email)
	if store.CodeOf(err) == store.NotFound {
		return p.deadToken(v, email)
	}
	if err != nil {
		return err
	}
	return p.askToken(v, http.StatusOK, guess, tokenTerms(v, guess))
}

func (p *Pages) askToken(v *visit, status int, guess store.Guess, terms *terms) error {
	data := p.view(v)
	data.Terms, data.Email = terms, page.Address(guess.Email)
	data.serves(tokenServes(v, guess))
	data.Other = v.address("/sign-in", "other", "1")
	return p.render(v, status, "token", v.address("/sign-in"), data)
}

// tokenGuess makes the proof of the request's token. The error is [store.NotFound] for one
// that is known to be of no use any more.
func (p *Pages) tokenGuess(v *visit, email store.Email) (store.Guess, error) {
	return p.Codes.TokenGuess(v.r.Context(), store.TokenTry{
		Token: v.request.OneTimeToken, Email: email, Browser: v.browser, Request: v.request.ID,
		Locale: v.lang.Tag, App: v.client.Name, BrowserName: BrowserName(v.r.UserAgent()),
	})
}

// tokenServes is what a page says that the token does: whether it recovers an account, with
// all that ends by that, is the token's to say, and not the app's.
func tokenServes(v *visit, g store.Guess) store.Purpose {
	asked := opens(v.request)
	if g.Purpose == store.PurposeRecover || asked == store.PurposeRecover {
		return g.Purpose
	}
	return asked
}

// deadToken offers a code instead of a token that is of no use.
func (p *Pages) deadToken(v *visit, email store.Email) error {
	v.request.OneTimeToken = ""
	v.sealed = p.Requests.Seal(v.request, v.browser)
	return p.showAgain(v, "dead_link", challenge{Purpose: v.serves(opens(v.request)), Email: email, Agreed: v.r.Method == http.MethodPost && v.form.Get("agree") == "1"})
}

// tokenTerms are those of who registers, if the token can be for that: nobody but the person
// is to know whether there is an account already. (Neither the mode nor the lists of
// addresses stand in a token's way: it was made for this very address, by who may set those.)
func tokenTerms(v *visit, g store.Guess) *terms {
	if g.Purpose == store.PurposeRecover {
		return v.terms(g.Purpose)
	}
	return v.terms(store.PurposeRegister)
}

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
	guess, err := p.tokenGuess(v, email)
	if store.CodeOf(err) == store.NotFound {
		return p.deadToken(v, email)
	}
	if err != nil {
		return err
	}
	if t := tokenTerms(v, guess); t.disagrees() {
		t.Missing = true
		return p.askToken(v, http.StatusUnprocessableEntity, guess, t)
	}
	previous, _ := p.Browser.Session(v.r)
	finish := p.Requests.Finish(v.request, store.Proof{Challenge: guess.Challenge, Purpose: guess.Purpose, Previous: previous, Agent: BrowserName(v.r.UserAgent())})
	in, err := p.Codes.Verify(v.r.Context(), guess, finish.Completion)
	if err != nil {
		return err
	}
	switch in.Outcome {
	case store.OutcomeAccepted, store.OutcomeSuspended:
		return p.judged(v, challenge{Request: v.request.ID, Purpose: guess.Purpose, Email: email}, in, finish, p.view(v))
	}
	return p.deadToken(v, email)
}
