package signin_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

// Where no more mail goes out at all, everybody is told so, known or not, and nobody that he asked
// too often. Who has a code uses it, and operators get in.
func TestNoMoreMail(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, shortWaits)
	const ada = "ada@example.com"
	f.Register(ada)
	owner := f.Operator(store.RoleOwner)
	waiting := f.Person().ToCode("/sign-in", ada)
	code := f.Code(ada, 2)
	f.Mails.Fill(7 * time.Minute)
	seen := map[string]string{}
	for _, email := range []string{ada, "unknown@example.com"} {
		for _, screen := range []string{"/sign-in", "/register", "/recover"} {
			page := f.Person().Get(webtest.Authorize("first_screen", map[string]string{"/sign-in": "sign_in", "/register": "register", "/recover": "reset_password"}[screen]))
			s := page.Submit(screen, "email", email).Want(429, "No more mail can be sent at the moment. Try again in 7 minutes")
			if s.Header.Get("Retry-After") != "420" {
				t.Errorf("Retry-After: %s", s.Header.Get("Retry-After"))
			}
			text := strings.ReplaceAll(s.Text(), email, "")
			if seen[screen] != "" && seen[screen] != text {
				t.Errorf("the pages of %s differ:\n%s\n%s", screen, seen[screen], text)
			}
			seen[screen] = text
		}
	}
	f.DB.AdvanceForTest(48 * time.Second)
	waiting.Submit("/verify/resend").Want(429, "No more mail can be sent at the moment. Try again in 7 minutes")
	f.Mails.Fill(20 * time.Hour)
	if s := waiting.Submit("/verify/resend").Want(429, "Try again in 20 hours, or"); !regexp.MustCompile(`>(20:00:00|19:59:5\d)<`).MatchString(s.Body) {
		t.Errorf("the clock of a long wait: %s", s.Text())
	}
	f.Person().Get(webtest.Authorize("ui_locales", "ja")).Submit("/sign-in", "email", ada).Want(429, "20時間後")
	waiting.Submit("/verify", "code", code).Want(303)
	owner.Get("/console").Want(200)
	f.Operator(store.RoleOwner)
}
