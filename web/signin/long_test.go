package signin_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/otp"
	"idp/web/webtest"
)

var longCode = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}-[0-9A-HJKMNP-TV-Z]{6}$`)

// guessed has a stranger guess on an address until nobody's guess is looked at any more; the
// page tells that a longer code would be.
func guessed(f *webtest.Fixture, address, lang string) (limited *webtest.Shown) {
	for range 3 {
		p := f.Person()
		p.Headers.Set("Accept-Language", lang)
		code := p.ToCode("/sign-in", address)
		for range 4 {
			if limited = code.Submit("/verify", "code", "000000"); limited.Status == 429 {
				return limited
			}
		}
	}
	f.Fatal("no limit")
	return nil
}

// Whose address a stranger guesses on gets in all the same: at once where they have signed
// in before, with a long code anywhere else.
func TestLongCode(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, func(c *otp.Config) { c.Limits.RecipientSends = nil })
	const ada = "ada@example.com"
	home := f.Person().SignedUp(ada)
	limited := guessed(f, ada, "en").Want(429, "Too many wrong codes were typed for this address. Send another code: it will be longer")
	if strings.Contains(limited.Body, "minutes, then") {
		t.Error("a wait is told, too")
	}

	next := home.Get(webtest.Authorize("prompt", "login", "login_hint", ada)).Submit("/sign-in", "email", ada).Follow().Want(200, "6 digits, from the mail")
	next.Submit("/verify", "code", f.Mail(ada, 5).Code).Want(303)

	code := f.Person().ToCode("/sign-in", ada).Want(200, "26 letters and digits")
	if !strings.Contains(code.Body, `inputmode="text" class="long"`) || !strings.Contains(code.Body, `data-digits="6"`) {
		t.Error(code.Body)
	}
	mail := f.Mail(ada, 6)
	if !longCode.MatchString(mail.Code) {
		t.Fatalf("code %q", mail.Code)
	}
	code.Submit("/verify", "code", mail.Code[:20]).Want(422, "This code has 26 letters and digits")
	code.Submit("/verify", "code", "123456").Want(429, "This code has 26 letters and digits")
	wrong := code.Submit("/verify", "code", strings.Repeat("7", 26)).Want(422, "That code is not right", "26 letters and digits")
	f.Person().Get(mail.Link).Want(200, strings.ReplaceAll(mail.Code, "-", "- ")) // wraps there only
	wrong.Submit("/verify", "code", " "+strings.ToLower(strings.ReplaceAll(mail.Code, "-", " "))).Want(303)

	// The stranger's own code page has the button, and the next code is a long one.
	f.DB.AdvanceForTest(61 * time.Second)
	limited.Submit("/verify/resend").Follow().Want(200, "26 letters and digits")
}
