//go:build browser

package deliveries_test

import (
	"strings"
	"testing"

	"idp/store"
	"idp/web/webtest"
)

// Every page, to be looked at (webtest.Shots).
func TestShots(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		f := webtest.New(t)
		f.Shots(lang, every(f, lang))
	}
}

func every(f *webtest.Fixture, lang string) map[string]string {
	f.Helper()
	p := f.Operator(store.RoleOwner)
	p.Get(root + "?lang=" + lang)
	f.Register("ada@example.com")
	list := p.Get(root)
	at := strings.Index(list.Body, root+"/A")
	mail := list.Body[at : at+strings.IndexByte(list.Body[at:], '"')]
	none := p.Get(root + "/suppressed")
	none.Submit(root+"/suppressed", "address", "a.long.address.of.somebody@mail.example.com", "note", "Left the company").Follow()
	none.Submit(root+"/suppressed", "address", "bob@example.com", "note", `<b>🎉</b> مرحبا`).Follow()
	return map[string]string{
		"deliveries": list.Body, "delivery": p.Get(mail).Body, "deliveries-none": p.Get(root + "?state=bounced").Body, "suppressed-none": none.Body,
		"suppressed": p.Get(root + "/suppressed").Body, "suppressed-one": p.Get(root + "/suppressed?q=bob@example.com").Body,
		"suppressed-wrong": none.Submit(root+"/suppressed", "address", "x").Body,
	}
}
