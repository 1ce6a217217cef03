package mailer_test

import (
	"errors"
	"strings"
	"testing"

	"idp/mailer"
	"idp/store"
)

// Providers quote what they do not like, in their own spelling.
func TestQuotedSecretsAreTakenOut(t *testing.T) {
	t.Parallel()
	const (
		link  = "https://id.example.com/sign-in/link#c=AbCdEf0123456789_-xyzXYZ"
		notMe = "https://id.example.com/not-me?t=ZyXwVu9876543210-_abcABC"
	)
	for name, c := range map[string]struct{ says, hides string }{
		"upper case":         {"no mailbox ADA.BYRON+X@XN--BCHER-KVA.EXAMPLE", "BYRON"},
		"in its own letters": {"no mailbox ada.byron+x@Bücher.example", "byron"},
		"in a URL":           {"https://help.example/?to=ada.byron%2Bx%40xn--bcher-kva.example", "byron"},
		"quoted-printable":   {"To: ada.byron=2Bx=40xn--bcher-kva.example", "byron"},
		"xtext":              {"ORCPT=rfc822;ada.byron+2Bx@xn--bcher-kva.example", "byron"},
		"HTML":               {"&lt;ada.byron&#43;x&#64;xn--bcher-kva.example&gt;", "byron"},
		"JSON":               {`{"to":"ada.byron\u002bx\u0040xn--bcher-kva.example"}`, "byron"},
		"a bounce address":   {"<bounces+ada.byron+x=xn--bcher-kva.example@mail.example> is blocked", "byron"},
		"the name alone":     {"user ada.byron+x unknown", "byron"},
		"the code":           {"blocked by content: 123456", "123456"},
		"the code in groups": {"blocked by content: 123 456", "123 456"},
		"the link":           {"blocked URL " + link, "AbCdEf0123456789_-xyzXYZ"},
		"the link, lower":    {"blocked URL " + strings.ToLower(link), "abcdef0123456789"},
		"the link, encoded":  {"blocked URL https%3A%2F%2Fid.example.com%2Fnot-me%3Ft%3DZyXwVu9876543210-_abcABC", "ZyXwVu9876543210"},
		"the other link":     {"554 message contains " + notMe, "ZyXwVu9876543210"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.post.fail = func(int) error { return &mailer.SendError{Class: mailer.Rejected, Err: errors.New(c.says)} }
			q := w.queue(nil, quick())
			w.run(q)
			o := w.order(q, "ada.byron+x@xn--bcher-kva.example", nil)
			o.message.Link, o.message.NotMe = link, notMe
			o.handTo(q)
			w.becomes(store.MailFailed, o)
			d, err := w.db.Delivery(t.Context(), o.mail.ID)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(strings.ToLower(d.Error+w.log.String()), strings.ToLower(c.hides)) || d.Error == "" {
				t.Errorf("kept: %s\n%s", d.Error, w.log)
			}
		})
	}
}
