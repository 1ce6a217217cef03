package signin

import (
	"net/http"
	"strconv"

	"idp/store"
	"idp/web/page"
)

// Person is the service that tells people from programs, as far as the page shows it.
type Person interface {
	SiteKey() string
	Script() string // address of the script that shows it
	Origin() string // where its script and frame are from
}

// solution is what a form brings back of the page that askProof has shown.
func (v *visit) solution() store.Solution {
	return store.Solution{Puzzle: v.form.Get("puzzle"), Answer: v.form.Get("answer"), Token: v.form.Get("token")}
}

// askProof answers a form that asks for a code, where the network of the browser has to
// show more for it. The page shows it by itself, and sends the same form again; by hand
// after half a minute.
func (p *Pages) askProof(v *visit, c challenge, data *view) error {
	puzzle := p.Codes.Puzzle(p.attempt(v, c))
	data.Puzzle, data.Person = &puzzle, p.Person
	data.serves(c.Purpose)
	data.Email, data.Agreed = page.Address(c.Email), c.Agreed
	data.Action = actionOf(c.Purpose)
	here := p.sealChallenge(c, v.browser)
	data.Change = v.address(data.Action, "c", here)
	back := data.Change
	if data.C != "" { // one more code on a challenge
		data.Action, back = v.address("/verify/resend", "c", data.C), v.address("/verify", "c", data.C)
	}
	if puzzle.Subject != "" && p.Person != nil {
		page.Protect(v.w, page.Policy{FormAction: v.formAction(), Look: v.look, Guest: p.Person.Origin()}, p.https)
	}
	if puzzle.Wait > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds(puzzle.Wait)))
	}
	return p.render(v, http.StatusTooManyRequests, "proof", back, data)
}
