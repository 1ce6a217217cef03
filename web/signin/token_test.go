package signin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/webtest"
)

// handOver makes a one-time token, as the management API does.
func handOver(f *webtest.Fixture, email store.Email, event string) (token string) {
	f.Helper()
	token, hash := store.NewOneTimeToken()
	text, err := json.Marshal(store.TokenContext{Event: event})
	f.Must(err)
	_, err = f.DB.CreateOneTimeToken(f.Context(), store.OneTimeToken{ID: store.RandomText(21), Email: email, Hash: hash, Context: text, ExpiresAt: f.DB.Now().Add(time.Minute)})
	f.Must(err)
	return token
}

// An app's own link signs in by a button, once, without a mail of ours.
func TestOneTimeToken(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	token := handOver(f, ada, "")
	ask := webtest.Authorize("one_time_token", token, "login_hint", ada)
	p := f.Person()
	page := p.Get(ask).Want(200, "Sign in", ada, "Use another account")
	if strings.Contains(page.Body, token) {
		t.Error("the token is on the page")
	}
	p.Do(http.MethodHead, ask, nil)
	f.Person().Get(ask).Want(200, ada) // a program that checks mails uses nothing up
	page.Get(page.Link("日本語")).Want(200, ada, "サインイン")
	done := page.Submit("/one-time-token").Want(303)
	if !strings.HasPrefix(done.Location(), webtest.Callback+"?") || !strings.Contains(done.Location(), "code=") {
		t.Fatal(done.Location())
	}
	page.Submit("/one-time-token").WantTo(done.Location()) // a double click
	thief := f.Person().Get(ask).Want(200)
	thief.Submit("/one-time-token").Want(410, "This link no longer works", ada).Submit("/sign-in", "email", ada).Want(303)
	f.Mail(ada, 1)
	if again := p.Get(ask).Want(303); !strings.Contains(again.Location(), "code=") { // signed in as this very person: nothing is asked
		t.Error(again.Location())
	}
	if strings.Contains(f.Log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestOneTimeTokenOfNoUse(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada, bob = "ada@example.com", "bob@example.com"
	token := handOver(f, ada, "")
	// What cannot be one is dropped, never an error.
	f.Person().Get(webtest.Authorize("one_time_token", "nonsense", "login_hint", ada)).Want(200).Form("/sign-in")
	f.Person().Get(webtest.Authorize("one_time_token", token)).Want(200).Form("/sign-in")
	// For another address it is worth nothing, and stays worth something for its own.
	f.Person().Get(webtest.Authorize("one_time_token", token, "login_hint", bob)).Want(200, bob).Submit("/one-time-token").Want(410)
	p := f.Person()
	page := p.Get(webtest.Authorize("one_time_token", token, "login_hint", ada)).Want(200)
	other := page.Get(page.Link("Use another account")).Want(200)
	other.Form("/sign-in")
}

// A token to recover an account with ends what was signed in before.
func TestOneTimeTokenRecovers(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	before := f.Person()
	before.Get(webtest.Authorize("one_time_token", handOver(f, ada, ""), "login_hint", ada)).Submit("/one-time-token").Want(303)
	before.Get(webtest.Authorize()).Want(303)
	f.Person().Get(webtest.Authorize("one_time_token", handOver(f, ada, "ForgotPassword"), "login_hint", ada, "first_screen", "reset_password")).
		Want(200, ada).Submit("/one-time-token").Want(303)
	before.Get(webtest.Authorize()).Want(200).Form("/sign-in")
	if m := f.Mail(ada, 1); m.Usage != store.UsageRecovered {
		t.Errorf("mail %s", m.Usage)
	}
	f.Person().Get(webtest.Authorize("one_time_token", handOver(f, "nobody@example.com", "ForgotPassword"), "login_hint", "nobody@example.com")).
		Submit("/one-time-token").Want(410, "This link no longer works")
}

// Recovering is the token's to say, whatever page the app asks for: it ends all else that is
// signed in. One for nobody is not used up in vain.
func TestOneTimeTokenSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	recovers := handOver(f, ada, "ForgotPassword")
	page := f.Person().Get(webtest.Authorize("one_time_token", recovers, "login_hint", ada)).Want(200, "Recover your Bookstore account", "Everybody else will be signed out")
	page.Submit("/one-time-token").Want(410)
	f.Person().SignedUp(ada)
	page.Submit("/one-time-token").Want(303)
	signsIn := handOver(f, ada, "SignIn")
	f.Person().Get(webtest.Authorize("one_time_token", signsIn, "login_hint", ada, "first_screen", "reset_password")).Want(200, "Sign in to Bookstore")
}

// An administrator's token passes where others cannot register. It does not pass where it was
// taken back between the look and the click, nor for who is suspended.
func TestOneTimeTokenInvites(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada, bob, eve = "ada@blocked.example", "bob@example.com", "eve@example.com"
	f.Register(eve)
	sets(f, func(e *store.Experience) {
		e.Mode, e.Addresses.Block = store.ModeSignIn, []string{"@blocked.example"}
	})
	open := func(email string) *webtest.Shown {
		return f.Person().Get(webtest.Authorize("one_time_token", handOver(f, store.Email(email), "Register"), "login_hint", email)).Want(200, email)
	}
	open(ada).Submit("/one-time-token").Want(303)
	taken := open(bob)
	tokens, _, err := f.DB.OneTimeTokens(t.Context(), store.TokenQuery{Email: bob, Limit: 1, Count: 1})
	f.Must(err)
	f.Must(f.DB.RevokeOneTimeToken(t.Context(), tokens[0].ID))
	taken.Submit("/one-time-token").Want(410, "This link no longer works")
	f.Suspend(eve)
	open(eve).Submit("/one-time-token").Want(403)
	if n := users(f); n != 2 {
		t.Errorf("%d accounts", n)
	}
}

// A link that is of no use says so at once, and not after a click.
func TestOneTimeTokenTooLate(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const ada = "ada@example.com"
	for why, end := range map[string]func(token string){
		"used": func(token string) {
			f.Person().Get(webtest.Authorize("one_time_token", token, "login_hint", ada)).Submit("/one-time-token").Want(303)
		},
		"expired": func(string) {},
	} {
		token := handOver(f, ada, "")
		end(token)
		f.DB.AdvanceForTest(61 * time.Second)
		p := f.Person()
		s := p.Get(webtest.Authorize("one_time_token", token, "login_hint", ada)).Want(410, "This link no longer works", ada)
		if strings.Contains(s.Body, "/one-time-token") {
			t.Errorf("%s: there is a button", why)
		}
		s.Submit("/sign-in").Want(303)
	}
}
