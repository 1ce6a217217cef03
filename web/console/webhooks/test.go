package webhooks

import (
	"net/http"
	"net/url"
	"time"

	"idp/admin"
	"idp/web/console/shell"
)

type testView struct {
	shell.Frame
	shell.Form
	head

	URL    string
	Events []shell.Option
	Trial  *trial // what was just sent
}

// trial is what became of a test.
type trial struct {
	Event, Wrong, Answer string
	Status               int
	Took                 int // ms
}

// test is GET /console/webhooks/ID/test.
func (p *Pages) test(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	values := url.Values{}
	if len(h.Events) > 0 {
		values.Set("event", h.Events[0])
	}
	return p.showTest(v, http.StatusOK, h, shell.NewForm(values, time.Time{}), nil)
}

func (p *Pages) showTest(v *shell.Visit, status int, h admin.Hook, f shell.Form, t *trial) error {
	head, err := p.headOf(v, h, "/test", glanced)
	if err != nil {
		return err
	}
	view := testView{Frame: v.Frame(shell.Webhooks), Form: f, head: head, URL: h.Config.URL, Trial: t}
	for _, name := range h.Events {
		view.Events = append(view.Events, shell.Option{Value: name, Name: name})
	}
	return v.Show(status, p.set, "test", view)
}

// sendTest is POST /console/webhooks/ID/test.
func (p *Pages) sendTest(v *shell.Visit) error {
	h, err := p.admin.Hook(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	f := v.Typed()
	sent, err := p.admin.TryHook(v.R.Context(), v.By, h.ID, []string{v.Got("event")}, h.Config)
	if err != nil {
		if !f.Take(v, err, map[string]string{"events": "event"}) {
			return err
		}
		return p.showTest(v, http.StatusUnprocessableEntity, h, f, nil)
	}
	t := trial{Event: sent[0].Event, Status: sent[0].Status, Answer: sent[0].Answer, Took: max(1, int(sent[0].Took.Milliseconds()))}
	if sent[0].Err != nil {
		t.Wrong = v.T(sent[0].Err.Error())
	}
	return p.showTest(v, http.StatusOK, h, f, &t)
}
