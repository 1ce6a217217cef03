package signin_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/otp"
	"idp/store"
	"idp/web/webtest"
)

// asksEarly has a network show a proof for all codes but the first of a day.
func asksEarly(c *otp.Config) {
	c.ProofBits = 8
	c.Limits.IPProof = []store.Window{{Count: 1, Period: 24 * time.Hour}}
}

// proofPages are what a network is shown that has to prove something.
func proofPages(f *webtest.Fixture, lang string) map[string]string {
	p := f.Person()
	p.Headers.Set("Accept-Language", lang)
	pages := map[string]string{}
	p.ToCode("/sign-in", "first@example.com")
	proof := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "ada.lovelace@example.com")
	pages["proof"] = proof.Body
	pages["proof-early"] = proof.Submit("/sign-in").Body
	pages["proof-failed"] = proof.Submit("/sign-in", "answer", "00").Body
	return pages
}

var data = regexp.MustCompile(`data-(seed|bits|parts)="([^"]*)"`)

// solved does the work that a page asks for.
func solved(s *webtest.Shown) string {
	s.Helper()
	values := map[string]string{}
	for _, m := range data.FindAllStringSubmatch(s.Body, -1) {
		values[m[1]] = m[2]
	}
	seed, err := hex.DecodeString(values["seed"])
	s.Must(err)
	parts, err := strconv.Atoi(values["parts"])
	s.Must(err)
	zeros, err := strconv.Atoi(values["bits"])
	s.Must(err)
	var answer []byte
	for part := range parts {
		for n := uint32(0); ; n++ {
			sum := sha256.Sum256(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(seed[:16:16], uint32(part)), n))
			if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:])) >= zeros {
				answer = binary.BigEndian.AppendUint32(answer, n)
				break
			}
		}
	}
	return hex.EncodeToString(answer)
}

// Beyond what a network gets for nothing a page asks for a proof, and with it the same
// form goes through: from every address page, known address or not.
func TestProofIsAsked(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	f.Register("known@example.com")
	for _, path := range []string{"/sign-in", "/register", "/recover"} {
		for _, email := range []string{"known@example.com", "unknown@example.com"} {
			f.DB.AdvanceForTest(2 * time.Minute)
			p := f.Person()
			screen := map[string]string{"/sign-in": "sign_in", "/register": "register", "/recover": "reset_password"}[path]
			proof := p.Get(webtest.Authorize("first_screen", screen)).Submit(path, "email", email).Want(http.StatusTooManyRequests)
			if !strings.Contains(proof.Body, "<h1>One moment</h1>") || proof.Header.Get("Retry-After") != "30" || !strings.Contains(proof.Body, `role="status"`) {
				t.Fatalf("%s %s: %v\n%s", path, email, proof.Header, proof.Text())
			}
			if strings.Contains(proof.Body, "autofocus") {
				t.Error("the page takes the focus")
			}
			code := proof.Submit(path, "answer", solved(proof)).Follow().Want(http.StatusOK)
			if !strings.Contains(code.Text(), email) {
				t.Errorf("%s: %s", path, code.Text())
			}
		}
	}
}

// What was agreed to, and the way to begin anew, come along.
func TestProofKeepsTheForm(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	sets(f, func(e *store.Experience) {
		e.TermsOfUseURL, e.Terms = "https://shop.example/terms", store.TermsRegister
	})
	f.Person().ToCode("/sign-in", "first@example.com")
	register := f.Person().Get(webtest.Authorize("first_screen", "register"))
	proof := register.Submit("/register", "email", "ada@example.com", "agree", "1").Want(http.StatusTooManyRequests)
	form := proof.Form("/register")
	if form.Get("agree") != "1" || form.Get("email") != "ada@example.com" || form.Get("again") != register.Form("/register").Get("again") {
		t.Errorf("form %v", form)
	}
	proof.Submit("/register", "answer", solved(proof)).Want(http.StatusSeeOther)
}

// A proof is for the browser, the request, the address and the purpose it was made for.
func TestProofIsBound(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	f.Person().ToCode("/sign-in", "first@example.com")
	p := f.Person()
	proof := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "ada@example.com")
	answer := solved(proof)
	proof.Submit("/sign-in", "answer", answer, "email", "eve@example.com").Want(http.StatusTooManyRequests)
	fields := proof.Form("/sign-in", "answer", answer)
	other := f.Person()
	fields.Set("r", other.Get(webtest.Authorize()).Form("/sign-in").Get("r"))
	other.Post("/sign-in", fields).Want(http.StatusTooManyRequests)
	p.Post("/recover", proof.Form("/sign-in", "answer", answer)).Want(http.StatusTooManyRequests)
	fields = proof.Form("/sign-in", "answer", answer)
	fields.Set("r", p.Get(webtest.Authorize()).Form("/sign-in").Get("r"))
	p.Post("/sign-in", fields).Want(http.StatusTooManyRequests)
	proof.Submit("/sign-in", "answer", answer).Want(http.StatusSeeOther)
}

// One more code takes a proof, too, and comes back to the code page.
func TestProofOfResend(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	code := f.Person().ToCode("/sign-in", "ada@example.com")
	f.DB.AdvanceForTest(time.Minute)
	proof := code.Submit("/verify/resend").Want(http.StatusTooManyRequests)
	again := proof.Submit("/verify/resend", "answer", solved(proof)).Follow().Want(http.StatusOK)
	if !again.HasForm("/verify") {
		t.Error(again.Text())
	}
	f.Code("ada@example.com", 2)
	proof.Get(proof.Action("/verify/resend")).Follow().Want(http.StatusOK) // the address bar's, asked for again
}

// Without a script: half a minute of waiting and a button, one of a network at a time.
func TestProofByWaiting(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	f.Person().ToCode("/sign-in", "first@example.com")
	wait := func(email string) *webtest.Shown {
		return f.Person().Get(webtest.Authorize()).Submit("/sign-in", "email", email).Want(http.StatusTooManyRequests)
	}
	ada, bob := wait("ada@example.com"), wait("bob@example.com")
	if !strings.Contains(ada.Body, "<noscript><p>Please wait half a minute.") {
		t.Error(ada.Body)
	}
	early := ada.Submit("/sign-in").Want(http.StatusTooManyRequests)
	if !strings.Contains(early.Body, `role="alert"`) || early.Form("/sign-in").Get("puzzle") != ada.Form("/sign-in").Get("puzzle") {
		t.Errorf("too early: %s", early.Body)
	}
	f.DB.AdvanceForTest(30 * time.Second)
	early.Submit("/sign-in").Want(http.StatusSeeOther)
	bob.Submit("/sign-in").Want(http.StatusTooManyRequests)
	f.DB.AdvanceForTest(30 * time.Second)
	bob.Submit("/sign-in").Want(http.StatusSeeOther)
}

// Whatever a stranger sends for a proof is answered with a page of ours.
func TestBrokenProofs(t *testing.T) {
	t.Parallel()
	f := webtest.New(t, asksEarly)
	f.Person().ToCode("/sign-in", "first@example.com")
	proof := f.Person().Get(webtest.Authorize()).Submit("/sign-in", "email", "ada@example.com")
	for _, field := range []string{"puzzle", "answer", "token"} {
		for _, value := range []string{"", "AA", "é", strings.Repeat("ff", 64), strings.Repeat("A", 1000), "a b"} {
			if s := proof.Submit("/sign-in", field, value); s.Status != http.StatusTooManyRequests {
				t.Errorf("%s=%q: status %d", field, value, s.Status)
			}
		}
	}
	if strings.Contains(f.Log.String(), "level=ERROR") {
		t.Error(f.Log.String())
	}
}
