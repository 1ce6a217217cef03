package auditlog

import (
	"net/http"

	"idp/admin"
	"idp/audit"
	"idp/web/console/shell"
)

type verifyView struct {
	shell.Frame
	Tabs    []shell.Tab
	State   admin.LogState
	Full    bool // more wait than were counted
	Checked *audit.Report
}

// state is GET /console/audit-log/verify.
func (p *Pages) state(v *shell.Visit) error { return p.showState(v, nil) }

func (p *Pages) showState(v *shell.Visit, checked *audit.Report) error {
	s, err := p.admin.LogState(v.R.Context())
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, p.set, "verify", verifyView{v.Frame(shell.AuditLog), tabs(v, true), s, s.Waiting >= admin.MaxWaiting, checked})
}

// verify is POST /console/audit-log/verify.
func (p *Pages) verify(v *shell.Visit) error {
	r, err := p.admin.VerifyNewest(v.R.Context(), v.By)
	if err != nil {
		return err
	}
	return p.showState(v, &r)
}
