package shell

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"idp/store"
	"idp/web/problem"
	"idp/web/serve"
)

// retryAfter is how many seconds a visitor is asked to give the database.
const retryAfter = 5

// problemView is a page that tells what went wrong.
type problemView struct {
	Frame
	Title, Text string
	Reference   string // id of the request
	Retry       bool   // the same may work in a moment
	Back        string
	Fields      []sentField // of a form, to be sent again
	Action      string
}

type sentField struct{ Name, Value string }

// crossSite answers a form of another site.
func (s *Shell) crossSite(w http.ResponseWriter, r *http.Request) {
	s.answer(s.newVisit(w, r), problem.CrossSite())
}

// Failed answers when a page of the console has panicked.
func (s *Shell) Failed(w http.ResponseWriter, r *http.Request) {
	v := s.newVisit(w, r)
	s.show(v, http.StatusInternalServerError, s.broken(v))
}

// answer shows the page for an error.
func (s *Shell) answer(v *Visit, err error) {
	switch {
	case errors.Is(err, errAnswered):
		return
	case serve.Left(v.R.Context(), err):
		return
	}
	status, view := s.explain(v, err)
	view.Back = Path
	if view.Action != "" && len(v.files) > 0 {
		view.Text += " " + v.T("A file has to be chosen again.")
	}
	s.show(v, status, view)
}

// explain finds what to say of an error, and logs what is ours.
func (s *Shell) explain(v *Visit, err error) (int, problemView) {
	var p *problem.Problem
	if errors.As(err, &p) {
		switch p.Page {
		case "ended":
			return http.StatusForbidden, problemView{
				Title: v.T("Your sign-in to the console has ended"), Text: v.T("Nothing was changed yet. Sign in again, then send what you entered."), Action: v.R.URL.Path, Fields: sent(v),
			}
		case "role":
			return http.StatusForbidden, problemView{Title: v.T("Your role does not allow this"), Text: v.T("Nothing was changed. An owner can change your role under Settings.")}
		case "stale", "cross":
			return http.StatusForbidden, problemView{Title: v.T("This form is out of date"), Text: v.T("Nothing was changed. Open the page again, and send the form from there.")}
		case "twice":
			return http.StatusConflict, problemView{Title: v.T("This form was sent before"), Text: v.T("It has been dealt with, or still is. Look at the list before you send it again.")}
		case "large":
			if v.Session.User.ID == "" {
				return p.Status, problemView{Title: v.T("That is too much"), Text: v.T("You may not be signed in any more. Sign in in another tab, come back to the form, and send it again.")}
			}
			return p.Status, problemView{Title: v.T("That is too much"), Text: v.T("A form can hold 2 MB. Nothing was changed.")}
		case "bad":
			return http.StatusBadRequest, problemView{Title: v.T("The form could not be read"), Text: v.T("Nothing was changed. Go back and try again."), Reference: serve.RequestID(v.R.Context())}
		}
	}
	cause := Sentence(v.T(causeOf(err)))
	if found := fieldErrors(err); len(found) > 0 { // of no field that people have seen by that name
		cause = Sentence(v.T(found[0].Reason))
	}
	switch store.CodeOf(err) {
	case store.NotFound:
		return http.StatusNotFound, problemView{Title: v.T("There is nothing here"), Text: v.T("It may have been deleted, or the address is not complete.")}
	case store.Forbidden:
		return http.StatusForbidden, problemView{Title: v.T("Your role does not allow this"), Text: cause}
	case store.Conflict, store.InUse, store.Changed, store.Used, store.Expired:
		if cause == "" {
			cause = v.T("Somebody else has changed it meanwhile. Open the page again to see how it is now.")
		}
		return http.StatusConflict, problemView{Title: v.T("This could not be done"), Text: cause}
	case store.Invalid:
		return http.StatusUnprocessableEntity, problemView{Title: v.T("This could not be done"), Text: cause}
	case store.Limited:
		return http.StatusTooManyRequests, problemView{Title: v.T("Too often"), Text: v.T("Try again in a moment."), Retry: true}
	case store.Unavailable:
		s.log(v, slog.LevelWarn, err)
		v.W.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		view := problemView{
			Title: v.T("The database does not answer"), Text: v.T("Nothing is lost. Try again in a moment."), Reference: serve.RequestID(v.R.Context()), Retry: true,
		}
		if len(v.Form["t"]) > 0 && v.R.Method == http.MethodPost {
			view.Action, view.Fields = v.R.URL.Path, sent(v)
		}
		return http.StatusServiceUnavailable, view
	}
	s.log(v, slog.LevelError, err)
	return http.StatusInternalServerError, s.broken(v)
}

// broken is a page for what only the log explains.
func (s *Shell) broken(v *Visit) problemView {
	return problemView{Title: v.T("Something went wrong"), Text: v.T("The log of the server says what, under the reference below."), Reference: serve.RequestID(v.R.Context()), Back: Path}
}

func (s *Shell) show(v *Visit, status int, view problemView) {
	view.Frame = v.Frame("-")
	if v.Session.User.ID == "" { // nobody is known to be there
		view.Menu, view.Email = nil, ""
	}
	if err := v.Show(status, s.own, "problem", &view); err != nil {
		s.log(v, slog.LevelError, err)
		http.Error(v.W, "something went wrong", http.StatusInternalServerError)
	}
}

func (s *Shell) log(v *Visit, level slog.Level, err error) {
	s.Log.Log(v.R.Context(), level, "console page failed", "error", err, "request_id", serve.RequestID(v.R.Context()))
}

// sent are the fields of the form, to be sent again by who signs in again. Its token was
// good, so it is from a page of ours in this browser.
func sent(v *Visit) (fields []sentField) {
	for name, all := range v.Form {
		if name == "t" {
			continue
		}
		for _, value := range all {
			fields = append(fields, sentField{name, value})
		}
	}
	slices.SortStableFunc(fields, func(a, b sentField) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}
