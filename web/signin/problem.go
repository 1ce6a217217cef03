package signin

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"idp/store"
	"idp/web/page"
	"idp/web/problem"
	"idp/web/serve"
)

// retryAfter is how many seconds a visitor is asked to give the database.
const retryAfter = 5

// answer shows the page for an error.
func (p *Pages) answer(v *visit, err error) {
	if serve.Left(v.r.Context(), err) {
		return
	}
	known := p.known(v, err)
	if v.request.ID.IsZero() { // else it was done when that was known
		p.switchLanguage(v)
	}
	data := p.view(v)
	if known.Back != "" {
		data.Restart = known.Back
	}
	data.Detail = known.Detail
	switch known.Page {
	case "unavailable":
		v.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		data.Restart, data.Retry, data.Reference = p.back(v, known), true, reference(v.r)
	case "failure":
		data.Restart, data.Retry, data.Reference = p.back(v, known), true, reference(v.r)
	case "cookies":
		data.Restart, data.Retry = again(v.form), true
	case "cross":
		data.Restart = p.back(v, known)
	case "broken":
		data.Restart = again(v.form)
		// Who says that a mail was not theirs came for no sign-in, and has to be told.
		if to := v.experience.UnknownSession; data.Restart == "" && to != "" && v.r.URL.Path != NotMePath {
			if v.r.Method == http.MethodGet {
				page.SeeOther(v.w, to)
				return
			}
			data.Restart = to // a redirect would be the form's, and held against form-action
		}
	case "bad", "large", "request", "client":
		data.Reference = reference(v.r)
	}
	if err := p.render(v, known.Status, known.Page, p.here(v, known), data); err != nil {
		p.logError(v, slog.LevelError, err)
		http.Error(v.w, "something went wrong", http.StatusInternalServerError)
	}
}

// known makes any error one that a page explains, and logs what is ours.
func (p *Pages) known(v *visit, err error) *problem.Problem {
	known := &problem.Problem{}
	if errors.As(err, &known) && known.Page != "" {
		return known
	}
	if store.CodeOf(err) == store.Unavailable {
		p.logError(v, slog.LevelWarn, err)
		return &problem.Problem{Page: "unavailable", Status: http.StatusServiceUnavailable, Back: known.Back}
	}
	p.logError(v, slog.LevelError, err)
	return &problem.Problem{Page: "failure", Status: http.StatusInternalServerError, Back: known.Back}
}

func (p *Pages) logError(v *visit, level slog.Level, err error) {
	p.Log.Log(v.r.Context(), level, "page failed", "error", err, "request_id", reference(v.r))
}

// here is the address that shows this page, or the last page that can be shown by
// address.
func (p *Pages) here(v *visit, known *problem.Problem) string {
	if v.r.Method == http.MethodPost {
		if known.Back != "" {
			return known.Back
		}
		if address := v.restart(); address != "" {
			return address
		}
		form := url.Values{}
		for _, name := range []string{"r", "again"} {
			if value := v.form.Get(name); value != "" {
				form.Set(name, value)
			}
		}
		if query := form.Encode(); len(query) <= maxLink {
			return "/sign-in?" + query
		}
		return "/sign-in"
	}
	return page.Requested(v.r)
}

// back is where the visitor can try the same again: for a form, the page that it
// is on.
func (p *Pages) back(v *visit, known *problem.Problem) string {
	if known.Back != "" {
		return known.Back
	}
	if v.r.Method != http.MethodPost {
		return page.Requested(v.r)
	}
	path, sealed, c := v.r.URL.Path, v.form.Get("r"), v.form.Get("c")
	if sealed == "" {
		return ""
	}
	if c != "" {
		path = "/verify"
	}
	return (&visit{sealed: sealed}).address(path, "c", c)
}
