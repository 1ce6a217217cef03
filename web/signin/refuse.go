package signin

import (
	"log/slog"
	"net/http"

	"idp/store"
	"idp/web/page"
	"idp/web/problem"
)

// Refuse shows why an authorization request cannot be answered, not even by a
// redirect.
func (p *Pages) Refuse(w http.ResponseWriter, r *http.Request, why store.Problem) {
	v := p.newVisit(w, r)
	switch why.Kind {
	case "redirect_mismatch":
		p.refuseRedirect(v, why)
	case "unknown_client":
		p.answer(v, problem.New("client", http.StatusBadRequest))
	case "too_large":
		p.answer(v, &problem.Problem{Page: "large", Status: http.StatusRequestEntityTooLarge, Detail: why.Description})
	case "unavailable":
		p.answer(v, problem.New("unavailable", http.StatusServiceUnavailable))
	case "failure":
		p.answer(v, problem.New("failure", http.StatusInternalServerError))
	default:
		p.answer(v, &problem.Problem{Page: "request", Status: http.StatusBadRequest, Detail: why.Description})
	}
}

func (p *Pages) refuseRedirect(v *visit, why store.Problem) {
	p.switchLanguage(v)
	data := p.view(v)
	data.Reference = reference(v.r)
	if p.loopback { // only developers are shown it
		data.Mismatch = page.NewMismatch(why)
	}
	if err := p.render(v, http.StatusBadRequest, "mismatch", page.Requested(v.r), data); err != nil {
		p.logError(v, slog.LevelError, err)
	}
}
