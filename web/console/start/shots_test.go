//go:build browser

package start_test

import (
	"testing"

	"idp/store"
	"idp/web/webtest"
)

// The page as it is at first, while codes are guessed at, and while no more mail is sent, too.
func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		if lang != "en" && lang != "ja" {
			continue
		}
		f := webtest.New(t)
		p := f.Operator(store.RoleOwner)
		p.Get("/console?lang=" + lang)
		pages := map[string]string{"start": p.Get("/console").Body}
		f.Must(f.DB.RaiseAlarm(t.Context(), store.Alarm{Name: store.AlarmGuesses}, store.Event{Kind: "guess_alarm.raised"}))
		pages["start-alarm"] = p.Get("/console").Body
		f.Must(f.DB.RaiseAlarm(t.Context(), store.Alarm{Name: store.AlarmMails}, store.Event{Kind: "mail_ceiling.reached"}))
		pages["start-alarms"] = p.Get("/console").Body
		f.Shots(lang, pages)
	}
}
