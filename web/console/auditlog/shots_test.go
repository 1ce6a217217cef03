//go:build browser

package auditlog_test

import (
	"strings"
	"testing"
	"time"

	"idp/audit"
	"idp/keyring"
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
	for _, name := range []string{"Shop", hostile} {
		_, err := f.Admin.UpdateClient(f.Context(), audit.Command(), "shop", time.Time{}, func(c *store.Client) error {
			c.Name, c.RedirectURIs = name, append(c.RedirectURIs, "https://shop.example/"+strings.ToLower(name[:1])) //nolint:gocritic // another list
			return nil
		})
		f.Must(err)
	}
	ring, err := keyring.New([]byte("0123456789abcdef0123456789abcdef"))
	f.Must(err)
	_, err = audit.NewSealer(audit.SealerDeps{Store: f.DB, Ring: ring}).Seal(f.Context())
	f.Must(err)
	list := p.Get(root).Want(200)
	entry := p.Get(root + "?kind=client.updated")
	at := strings.Index(entry.Body, `<th scope="row"><a href="`) + len(`<th scope="row"><a href="`)
	path := entry.Body[at : at+strings.IndexByte(entry.Body[at:], '"')]
	return map[string]string{
		"audit": list.Body, "audit-entry": p.Get(path).Want(200).Body, "audit-none": p.Get(root + "?failed=1").Body, "audit-wrong": p.Get(root + "?who=x@example.com&since=x").Body,
		"audit-verify": p.Get(root + "/verify").Submit(root + "/verify").Body,
	}
}
