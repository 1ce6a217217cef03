package signin

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idp/store"
	"idp/web/page"
	"idp/web/problem"
)

// openBoth opens r and c. The page that it shows for a c that does not belong
// there says nothing about any challenge.
func (p *Pages) openBoth(v *visit) (challenge, error) {
	if err := p.open(v); err != nil {
		return challenge{}, err
	}
	c, ok := p.openChallenge(v.form.Get("c"), v.browser)
	if !ok || c.Request != v.request.ID && !v.restarted {
		return c, problem.New("gone", http.StatusBadRequest)
	}
	return c, nil
}

// isDead tells whether the challenge is too old, as far as c knows.
func (p *Pages) isDead(v *visit, c challenge) bool {
	return v.restarted || !p.Now().Before(c.ExpiresAt)
}

// getCode is GET /verify.
func (p *Pages) getCode(v *visit) error {
	if v.form.Get("r") == "" {
		return seeOther(v, "/sign-in")
	}
	c, err := p.openBoth(v)
	if err != nil {
		return err
	}
	if p.isDead(v, c) {
		return p.showAgain(v, "expired", c)
	}
	data := p.view(v)
	data.Mail = p.mailWord(v, c)
	return p.showCode(v, http.StatusOK, c, data)
}

// getResend is GET /verify/resend: the address that a form left in the address bar,
// asked for again. The code page is what stood there.
func (p *Pages) getResend(v *visit) error { return seeOther(v, "/verify?"+v.form.Encode()) }

// showCode shows the code page. data says what is particular about it.
func (p *Pages) showCode(v *visit, status int, c challenge, data *view) error {
	data.C = v.form.Get("c")
	if data.Resend != "" { // c says when to ask again, which has changed
		data.C = p.sealChallenge(c, v.browser)
	}
	if c.Bounced && data.Mail == "queued" {
		data.Mail = "bounced"
	}
	data.Email, data.Suggested = page.Address(c.Email), suggest(c.Email)
	count, written := clock(c.NextSend.Sub(p.Now()))
	if status != http.StatusOK || data.Suggested != "" {
		data.Clock = clockHTML(count, written)
		return p.templates.Render(v.w, status, v.lang, "code", p.code(v, c, data))
	}
	type variant struct {
		look          *page.Look
		app           string
		purpose       store.Purpose
		mailbox       *mailbox
		sends         int
		more, waiting bool
		mail          string
		digits        int
	}
	like := variant{v.look, v.client.Name, c.Purpose, p.mailboxOf(c.Email), c.Sends, !c.NextSend.IsZero(), count != "", data.Mail, c.Length}
	return p.templates.Splice(v.w, status, v.lang, "code", like, func(marks []string) any {
		marked := *v
		marked.sealed = marks[0]
		plain := p.view(&marked)
		plain.C, plain.Email, plain.Mail = marks[1], marks[2], like.mail
		if like.waiting {
			plain.Clock = clockHTML(marks[3], marks[4])
		}
		return p.code(&marked, c, plain)
	}, v.sealed, data.C, data.Email, count, written)
}

// code completes the view of the code page.
func (p *Pages) code(v *visit, c challenge, data *view) *view {
	data.serves(c.Purpose)
	if c.Purpose == store.PurposeConsole {
		data.Digits = max(store.ConsoleDigits, data.Digits)
	}
	if data.Long = c.Length > store.MaxDigits; !data.Long {
		data.Digits = cmp.Or(c.Length, data.Digits)
	}
	data.Sends, data.More, data.Agreed = c.Sends, !c.NextSend.IsZero(), c.Agreed
	data.Action = actionOf(c.Purpose)
	data.Change = v.address(data.Action, "c", data.C)
	data.Status = "/verify/status?c=" + data.C
	data.Mailbox = p.mailboxOf(c.Email)
	p.addLanguages(v, v.address("/verify", "c", data.C), data)
	return data
}

// showAgain shows a page that ends a challenge and can start the next one for the
// same address.
func (p *Pages) showAgain(v *visit, name string, c challenge) error {
	data := p.view(v)
	data.Action, data.Email, data.Agreed = actionOf(c.Purpose), page.Address(c.Email), c.Agreed
	data.Restart = v.address(data.Action, "c", v.form.Get("c"))
	return p.render(v, http.StatusGone, name, v.restart(), data)
}

// postCode is POST /verify.
func (p *Pages) postCode(v *visit) error {
	c, err := p.openBoth(v)
	if err != nil {
		return err
	}
	if v.restarted { // else the store decides, which knows a code that was right before
		return p.showAgain(v, "expired", c)
	}
	rules, err := v.rules()
	if err != nil {
		return err
	}
	if !rules.Mode.Allows(c.Purpose) {
		return p.shut(v, c.Email)
	}
	data := p.view(v)
	data.Typed = strings.TrimSpace(v.form.Get("code"))
	if data.Typed == "" {
		return p.notACode(v, c, data, "empty")
	}
	confirm := v.form.Get("confirm") == "1" && rules.Mode.Allows(other(c.Purpose))
	if confirm && c.Purpose == store.PurposeSignIn && !c.Agreed {
		if data.Terms = v.terms(store.PurposeRegister); data.Terms.disagrees() {
			data.Terms.Missing = true
			return p.askConfirm(v, http.StatusUnprocessableEntity, c, data)
		}
	}
	guess, err := p.Codes.Guess(store.Try{
		Challenge: c.ID, Purpose: c.Purpose, Email: c.Email, Browser: v.browser, Request: v.request.ID,
		IP: p.ClientIP(v.r), Code: data.Typed, Confirm: confirm && c.Purpose != store.PurposeRecover, Closed: closed(rules, c.Email),
		Locale: v.lang.Tag, App: v.client.Name, BrowserName: BrowserName(v.r.UserAgent()),
	})
	if store.CodeOf(err) == store.Invalid {
		return p.notACode(v, c, data, "format")
	}
	if err != nil {
		return err
	}
	previous, _ := p.Browser.Session(v.r)
	console, _ := p.Browser.Console(v.r)
	finish := p.Requests.Finish(v.request, store.Proof{Challenge: c.ID, Purpose: c.Purpose, Previous: previous, Console: console, Agent: BrowserName(v.r.UserAgent())})
	in, err := p.Codes.Verify(v.r.Context(), guess, finish.Completion)
	if err != nil {
		return err
	}
	return p.judged(v, c, in, finish, data)
}

// notACode answers for what cannot be a code. It costs no try.
func (p *Pages) notACode(v *visit, c challenge, data *view, why string) error {
	if p.isDead(v, c) {
		return p.showAgain(v, "expired", c)
	}
	data.Error = why
	return p.showCode(v, http.StatusUnprocessableEntity, c, data)
}

// judged answers a guess.
func (p *Pages) judged(v *visit, c challenge, in store.SignedIn, finish store.Finish, data *view) error {
	data.Tries = in.TriesLeft
	switch in.Outcome {
	case store.OutcomeAccepted:
		if v.request.Console {
			p.Browser.SetConsole(v.w, finish.SessionSecret)
			return seeOther(v, finish.Redirect)
		}
		p.Browser.SetSession(v.w, finish.SessionSecret)
		if finish.Subject != "" && in.User != finish.Subject { // the app wants somebody else
			return seeOther(v, finish.Otherwise)
		}
		return seeOther(v, finish.Redirect)
	case store.OutcomeWrong:
		data.Error = "wrong"
		return p.showCode(v, http.StatusUnprocessableEntity, c, data)
	case store.OutcomeStale:
		data.Error = "stale"
		return p.showCode(v, http.StatusUnprocessableEntity, c, data)
	case store.OutcomeLimited:
		data.Error, data.Wait = "limited", v.lang.Wait(in.Wait)
		if in.Limit == store.LimitAccountGuesses { // which a longer code has no need of
			data.Error = "guessed"
		}
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds(in.Wait)))
		return p.showCode(v, http.StatusTooManyRequests, c, data)
	case store.OutcomeConfirm:
		if c.Purpose == store.PurposeRecover { // the account has gone since its code was mailed
			break
		}
		if !v.experience.Mode.Allows(other(c.Purpose)) { // who registers has an account
			return problem.New("newcomers", http.StatusForbidden)
		}
		return p.askConfirm(v, http.StatusOK, c, data)
	case store.OutcomeNoOperator:
		return &problem.Problem{Page: "no_operator", Status: http.StatusForbidden, Back: consolePath}
	case store.OutcomeClosed:
		return problem.New("closed", http.StatusForbidden)
	case store.OutcomeSpent:
		return p.showAgain(v, "spent", c)
	case store.OutcomeExpired:
		return p.showAgain(v, "expired", c)
	case store.OutcomeSuspended:
		data.Email = page.Address(c.Email)
		if !v.request.IsOwn() {
			data.Restart, data.Return = "", v.address("/cancel")
		}
		return p.render(v, http.StatusForbidden, "suspended", v.restart(), data)
	case store.OutcomeUsed:
		return problem.New("used", http.StatusGone)
	}
	return problem.New("gone", http.StatusBadRequest)
}

// askConfirm asks whether to register instead of signing in, or the reverse. The
// form holds the same code again: nothing was consumed.
func (p *Pages) askConfirm(v *visit, status int, c challenge, data *view) error {
	data.C = v.form.Get("c")
	data.serves(c.Purpose)
	data.Email = page.Address(c.Email)
	if data.Terms == nil && c.Purpose == store.PurposeSignIn && !c.Agreed {
		data.Terms = v.terms(store.PurposeRegister)
	}
	return p.render(v, status, "confirm", v.address("/verify", "c", data.C), data)
}

// other is what a code can be for after a question: an account to sign in to, or to make.
func other(p store.Purpose) store.Purpose {
	if p == store.PurposeRegister {
		return store.PurposeSignIn
	}
	return store.PurposeRegister
}

// postResend is POST /verify/resend: one more code.
func (p *Pages) postResend(v *visit) error {
	c, err := p.openBoth(v)
	if err != nil {
		return err
	}
	if v.restarted {
		return p.showAgain(v, "expired", c)
	}
	rules, err := v.rules()
	if err != nil {
		return err
	}
	if !rules.Mode.Allows(c.Purpose) {
		return p.shut(v, c.Email)
	}
	begun, err := p.Codes.Resend(v.r.Context(), store.Again{Challenge: c.ID, Attempt: p.attempt(v, c)})
	switch store.CodeOf(err) {
	case store.Unproven:
		data := p.view(v)
		data.C = v.form.Get("c")
		return p.askProof(v, c, data)
	case store.Limited:
		return p.tooSoon(v, c, waitOf(err), isFull(err))
	case store.Spent:
		c.NextSend = time.Time{}
		data := p.view(v)
		data.Resend = "spent"
		return p.showCode(v, http.StatusTooManyRequests, c, data)
	case store.Expired:
		return p.showAgain(v, "expired", c)
	case store.Used:
		return problem.New("used", http.StatusGone)
	case store.NotFound:
		return problem.New("gone", http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	return p.toCode(v, c.took(begun))
}

// longWait is from where on a wait is told in minutes or hours: it is a limit's, and no
// countdown.
const longWait = 3 * time.Minute

func (p *Pages) tooSoon(v *visit, c challenge, wait time.Duration, full bool) error {
	data := p.view(v)
	data.Resend = "limited"
	switch {
	case full:
		data.Resend, data.Wait = "full", v.lang.Wait(wait)
	case wait > longWait:
		data.Resend, data.Wait = "limited_long", v.lang.Wait(wait)
	}
	c.NextSend = p.Now().Add(wait)
	v.w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	return p.showCode(v, http.StatusTooManyRequests, c, data)
}

// isFull tells that a limit is that of all mails together, for which nobody who reads the page
// has asked too often.
func isFull(err error) bool {
	var e *store.Error
	return errors.As(err, &e) && e.Limit == store.LimitMails
}

// waitOf is how long an error of a limit says to wait.
func waitOf(err error) time.Duration {
	var e *store.Error
	errors.As(err, &e)
	return e.Wait
}
