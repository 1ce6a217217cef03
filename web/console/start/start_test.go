package start_test

import (
	"testing"

	"idp/store"
	"idp/web/webtest"
)

// What goes on is told at once, each alarm with where to look.
func TestAlarms(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	p := f.Operator(store.RoleViewer)
	p.Get("/console").Want(200).Lacks("No more mail is sent").Lacks("Codes are being guessed at")
	f.Must(f.DB.RaiseAlarm(f.Context(), store.Alarm{Name: store.AlarmMails}))
	p.Get("/console").Want(200, "No more mail is sent", "IDP_LIMIT_MAILS", "See deliveries").Lacks("Codes are being guessed at")
	f.Must(f.DB.RaiseAlarm(f.Context(), store.Alarm{Name: store.AlarmGuesses}))
	p.Get("/console").Want(200, "No more mail is sent", "Codes are being guessed at", "See the audit log")
}
