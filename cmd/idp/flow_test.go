package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// visitor is a browser without JavaScript.
type visitor struct {
	ts   *testscript.TestScript
	http *http.Client
	at   *url.URL // of the page it is on
	page string
}

func (v *visitor) do(r *http.Request, err error) {
	v.ts.Check(err)
	res, err := v.http.Do(r)
	v.ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	v.ts.Check(err)
	v.at, v.page = res.Request.URL, html.UnescapeString(string(body))
}

func (v *visitor) open(u string) { v.do(http.NewRequest(http.MethodGet, u, nil)) }

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// submit posts the form with this action, perhaps with a query, with its hidden
// fields.
func (v *visitor) submit(action string, fields ...string) {
	form := url.Values{}
	at := regexp.MustCompile(`action="(` + action + `(?:\?[^"]*)?)"`).FindStringSubmatchIndex(v.page)
	if at == nil {
		v.ts.Fatalf("no form for %s on %s:\n%s", action, v.at, v.page)
	}
	action = v.page[at[2]:at[3]]
	body, _, _ := strings.Cut(v.page[at[0]:], "</form>")
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], m[2])
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	target, err := v.at.Parse(action)
	v.ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.at.Scheme+"://"+v.at.Host)
	}
	v.do(r, err)
}

func (v *visitor) sees(text string) {
	if !strings.Contains(v.page, text) {
		v.ts.Fatalf("%q is not on %s:\n%s", text, v.at, v.page)
	}
}

// code reads the newest code in the mailbox.
func (v *visitor) code(endpoint, email string) string {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var mails []struct{ Code string }
		res, err := http.Get(endpoint + "/dev/inbox.json?to=" + url.QueryEscape(email))
		v.ts.Check(err)
		err = json.NewDecoder(res.Body).Decode(&mails)
		res.Body.Close()
		v.ts.Check(err)
		if len(mails) > 0 {
			return mails[0].Code
		}
	}
	v.ts.Fatalf("no mail to %s", email)
	return ""
}

// signIn SHOP ENDPOINT EMAIL goes through the sample app as a new customer does:
// sign up, a wrong code, the right one, the claims, sign out, and in again.
func signIn(ts *testscript.TestScript, _ bool, args []string) {
	shop, endpoint, email := args[0], args[1], args[2]
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	v := &visitor{ts: ts, http: &http.Client{Jar: jar}}

	v.open(shop + "/sign-up")
	v.submit("/register", "email", email)
	code := v.code(endpoint, email)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	v.submit("/verify", "code", wrong)
	v.sees(`role="alert"`)
	v.submit("/verify", "code", code)
	v.sees("You are signed in as <strong>" + email)
	v.open(shop + "/claims")
	v.sees(`"iss": "` + endpoint + `/oidc"`)
	v.sees(`"aud": "bookstore000000000000"`)
	v.sees(`"email": "` + email + `"`)

	v.open(shop + "/sign-in") // the provider's session lives: no code
	v.sees("You are signed in as <strong>" + email)
	v.open(endpoint + "/account")
	v.sees(email)
	v.open(shop + "/")
	v.submit("/sign-out")
	v.sees("You are signed out.")
	v.open(shop + "/claims")
	v.sees("Good books")
	v.open(shop + "/callback?state=made-up&code=x")
	v.sees("We lost track of this sign-in")
	v.open(shop + "/sign-in") // the provider's session is over too
	v.sees(`name="email"`)
}

// beginSignIn SHOP EMAIL asks for a code and leaves it at that.
func beginSignIn(ts *testscript.TestScript, _ bool, args []string) {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	v := &visitor{ts: ts, http: &http.Client{Jar: jar}}
	v.open(args[0] + "/sign-up")
	v.submit("/register", "email", args[1])
}

// deliveryID NAME EMAIL reads the id of the newest mail to an address into a variable.
func deliveryID(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("idp", "delivery", "list", "--to", args[1], "--limit", "1", "--json"))
	var mails []struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &mails))
	if len(mails) != 1 {
		ts.Fatalf("no mail to %s", args[1])
	}
	ts.Setenv(args[0], mails[0].ID)
}
