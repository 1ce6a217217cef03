package signin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"idp/web/webtest"
)

// widget stands for Cloudflare Turnstile: a script whose widget gives a token for
// the subject at once, and siteverify, which takes it once.
type widget struct {
	*httptest.Server
	away   atomic.Bool // siteverify does not answer
	broken atomic.Bool // the script is out of reach
	mu     sync.Mutex
	taken  map[string]string // token: idempotency key
}

const widgetScript = `window.turnstile = {render(place, o) {
  if (o.sitekey !== "site-key" || o.action !== "code") throw new Error("not for this page");
  const frame = document.createElement("iframe");
  frame.src = new URL("frame", document.querySelector("#person").dataset.script);
  frame.onload = () => { frame.dataset.loaded = "1"; };
  place.append(frame);
  window.onmessage = (e) => { if (e.data === "a person" && e.origin === new URL(frame.src).origin) o.callback("person." + o.cData); };
}};`

func newWidget(t *testing.T) *widget {
	t.Helper()
	w := &widget{taken: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v0/api.js", func(rw http.ResponseWriter, _ *http.Request) {
		if w.broken.Load() {
			http.Error(rw, "away", http.StatusServiceUnavailable)
			return
		}
		rw.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(rw, widgetScript)
	})
	mux.HandleFunc("GET /v0/frame", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(rw, `<!doctype html><title>Widget</title><p>Are you a person?</p><script>parent.postMessage("a person", "*")</script>`)
	})
	mux.HandleFunc("POST /v0/siteverify", w.verify)
	w.Server = httptest.NewServer(mux)
	t.Cleanup(w.Close)
	return w
}

func (w *widget) verify(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	token, key := r.PostFormValue("response"), r.PostFormValue("idempotency_key")
	subject, person := strings.CutPrefix(token, "person.")
	switch used, taken := w.taken[token]; {
	case w.away.Load():
		http.Error(rw, "away", http.StatusServiceUnavailable)
	case r.PostFormValue("secret") != "turnstile-secret" || r.PostFormValue("remoteip") == "":
		fmt.Fprint(rw, `{"success":false,"error-codes":["invalid-input-secret"]}`)
	case !person:
		fmt.Fprint(rw, `{"success":false,"error-codes":["invalid-input-response"]}`)
	case taken && used != key:
		fmt.Fprint(rw, `{"success":false,"error-codes":["timeout-or-duplicate"]}`)
	default:
		w.taken[token] = key
		fmt.Fprintf(rw, `{"success":true,"error-codes":[],"hostname":"127.0.0.1","action":"code","cdata":%q}`, subject)
	}
}

func (w *widget) endpoint() string { return w.URL + "/v0" }

var subject = regexp.MustCompile(`data-subject="([0-9a-f]{32})"`)

// subjectOf is what a page has the widget make a token for.
func subjectOf(s *webtest.Shown) string {
	s.Helper()
	found := subject.FindStringSubmatch(s.Body)
	if found == nil {
		s.Fatal("no widget on the page: " + s.Text())
	}
	return found[1]
}

// The service's page has its script and frame, and no other page has; its token lets the
// form through, that of another form does not.
func TestServiceTellsPeople(t *testing.T) {
	t.Parallel()
	w := newWidget(t)
	f := webtest.Guarded(t, w.endpoint(), asksEarly)
	f.Person().ToCode("/sign-in", "first@example.com")
	p := f.Person()
	address := p.Get(webtest.Authorize())
	if csp := address.Header.Get("Content-Security-Policy"); strings.Contains(csp, w.URL) {
		t.Errorf("the address page lets the service in: %s", csp)
	}
	proof := address.Submit("/sign-in", "email", "ada@example.com").Want(http.StatusTooManyRequests)
	csp := proof.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "script-src 'self' "+w.URL+";") || !strings.Contains(csp, "frame-src "+w.URL) || strings.Contains(csp, "connect-src 'self' ") {
		t.Errorf("policy %s", csp)
	}
	if !strings.Contains(proof.Body, `data-script="`+w.URL+`/v0/api.js?render=explicit"`) || !strings.Contains(proof.Body, `data-key="site-key"`) || strings.Contains(proof.Body, "turnstile-secret") {
		t.Error(proof.Body)
	}
	for _, token := range []string{"program", "person." + strings.Repeat("0", 32), "é", strings.Repeat("a", 2048)} {
		failed := proof.Submit("/sign-in", "token", token).Want(http.StatusTooManyRequests)
		if !strings.Contains(failed.Body, "That could not be confirmed.") || subjectOf(failed) != subjectOf(proof) {
			t.Errorf("%.20q: %s", token, failed.Text())
		}
	}
	token := "person." + subjectOf(proof)
	other := f.Person().Get(webtest.Authorize()).Submit("/sign-in", "email", "eve@example.com").Want(http.StatusTooManyRequests)
	other.Submit("/sign-in", "token", token).Want(http.StatusTooManyRequests) // and takes the token with it
	other.Submit("/sign-in", "token", "person."+subjectOf(other)).Want(http.StatusSeeOther)
	proof.Submit("/sign-in", "token", token).Want(http.StatusTooManyRequests)

	again := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "ada@example.com").Want(http.StatusTooManyRequests)
	token = "person." + subjectOf(again)
	for range 2 { // a double click
		again.Submit("/sign-in", "token", token).Want(http.StatusSeeOther)
	}
}

// Nobody is kept out by a service that is away: the work takes its place, and for a minute.
func TestServiceIsAway(t *testing.T) {
	t.Parallel()
	w := newWidget(t)
	f := webtest.Guarded(t, w.endpoint(), asksEarly)
	f.Person().ToCode("/sign-in", "first@example.com")
	p := f.Person()
	proof := p.Get(webtest.Authorize()).Submit("/sign-in", "email", "ada@example.com").Want(http.StatusTooManyRequests)
	w.away.Store(true)
	work := proof.Submit("/sign-in", "token", "person."+subjectOf(proof)).Want(http.StatusTooManyRequests)
	if subject.MatchString(work.Body) || strings.Contains(work.Body, `role="alert"`) || strings.Contains(work.Header.Get("Content-Security-Policy"), w.URL) {
		t.Errorf("the service is still asked: %s", work.Body)
	}
	work.Submit("/sign-in", "answer", solved(work)).Want(http.StatusSeeOther)
	if log := f.Log.String(); !strings.Contains(log, "cannot ask who is a person") || strings.Contains(log, "turnstile-secret") || strings.Contains(log, "level=ERROR") {
		t.Error(log)
	}
	w.away.Store(false)
	f.DB.AdvanceForTest(time.Minute)
	subjectOf(f.Person().Get(webtest.Authorize()).Submit("/sign-in", "email", "joe@example.com").Want(http.StatusTooManyRequests))
}
