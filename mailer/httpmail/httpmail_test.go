package httpmail_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idp/mailer"
	"idp/mailer/httpmail"
	"idp/store"
)

var mail = mailer.Rendered{ID: "m1", From: "Bookstore", To: "ada@example.com", Subject: "Sign in to Bookstore", Text: "text",
	HTML: "<p>html</p>", Usage: store.UsageSignIn, Code: "123456", Locale: "en", ReplyTo: "help@example.com"}

func sender(t *testing.T, h http.HandlerFunc, more string) mailer.Sender {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s, err := httpmail.New(fmt.Appendf(nil, `{"url":%q%s}`, server.URL+"/send?token=secret", more))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSendPostsTheMail(t *testing.T) {
	t.Parallel()
	var got map[string]any
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s", r.Method, r.Header.Get("Content-Type"))
		}
		json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(http.StatusAccepted)
	}, "")
	if _, err := s.Send(t.Context(), mail); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.RFC3339, fmt.Sprint(got["createdAt"])); err != nil {
		t.Error(err)
	}
	delete(got, "createdAt")
	want := `{"code":"123456","from":"Bookstore","html":"\u003cp\u003ehtml\u003c/p\u003e","id":"m1","locale":"en","replyTo":"help@example.com","sender":"","subject":"Sign in to Bookstore","text":"text","to":"ada@example.com","usageType":"SignIn"}`
	if b, _ := json.Marshal(got); string(b) != want {
		t.Errorf("posted %s", b)
	}
}

func TestStatusTellsTheClass(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]mailer.Class{
		302: mailer.Misconfigured, 400: mailer.Misconfigured, 401: mailer.Misconfigured, 404: mailer.Misconfigured, 408: mailer.Temporary,
		422: mailer.Refused, 429: mailer.Throttled, 500: mailer.Temporary, 502: mailer.Temporary, 503: mailer.Temporary, 504: mailer.Temporary,
	} {
		unsure := status == 500 || status == 502 || status == 504 // it may have sent the mail
		var asked atomic.Int32
		s := sender(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}, "")
		_, err := s.Send(t.Context(), mail)
		var e *mailer.SendError
		if !errors.As(err, &e) || e.Class != want || e.Unsure != unsure {
			t.Errorf("%d gives %#v, want %s", status, err, want)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d: %d requests", status, n)
		}
	}
}

func TestBodyIsSigned(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(raw)
		if got := r.Header.Get("logto-signature-sha-256"); got != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("signature %q", got)
		}
		if got := r.Header.Get("Idempotency-Key"); got != "m1" {
			t.Errorf("idempotency key %q", got)
		}
		io.WriteString(w, `{"id":"their-name"}`)
	}, `,"signingKey":"`+key+`"`)
	receipt, err := s.Send(t.Context(), mail)
	if err != nil || receipt.Provider != "their-name" {
		t.Error(receipt, err)
	}
}

func TestNothingIsSignedWithoutAKey(t *testing.T) {
	t.Parallel()
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		if got, ok := r.Header["Logto-Signature-Sha-256"]; ok {
			t.Errorf("signature %q", got)
		}
		io.WriteString(w, "thanks")
	}, "")
	if receipt, err := s.Send(t.Context(), mail); err != nil || receipt.Provider != "" {
		t.Error(receipt, err)
	}
}

func TestAskedToWaitIsThrottled(t *testing.T) {
	t.Parallel()
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
	}, "")
	_, err := s.Send(t.Context(), mail)
	var e *mailer.SendError
	if !errors.As(err, &e) || e.Class != mailer.Throttled || e.Unsure {
		t.Error(err)
	}
}

// A mail that nobody was there to take did not leave.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s, err := httpmail.New([]byte(`{"url":"http://127.0.0.1:1/"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Send(t.Context(), mail)
	var e *mailer.SendError
	if !errors.As(err, &e) || e.Class != mailer.Temporary || e.Unsure {
		t.Errorf("%#v", err)
	}
}

func TestSilenceIsTemporaryAndShowsNoURL(t *testing.T) {
	t.Parallel()
	s := sender(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the server notices that the client left only then
		<-r.Context().Done()
	}, `,"timeout":"100ms"`)
	start := time.Now()
	_, err := s.Send(t.Context(), mail)
	var e *mailer.SendError
	if !errors.As(err, &e) || e.Class != mailer.Temporary || !e.Unsure {
		t.Fatalf("%#v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	if d := time.Since(start); d > 2900*time.Millisecond { // three seconds is what it gets where nothing is set
		t.Errorf("gave up after %s", d)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"url":"https://mail.example.com/send"}`:                  "",
		`{"url":"http://127.0.0.1:9/","timeout":"5s"}`:             "",
		`{"url":"http://[::1]:9/"}`:                                "",
		`{"url":"http://localhost:9/"}`:                            "",
		`{}`:                                                       "url is missing",
		`{"url":"http://mail.example.com/"}`:                       "has to be https",
		`{"url":"http://localhost.evil.example/"}`:                 "has to be https",
		`{"url":"ftp://mail.example.com/"}`:                        "has to start with https://",
		`{"url":"/send"}`:                                          "has to start with https://",
		`{"url":"https://mail.example.com/","timeout":"1h"}`:       "timeout",
		`{"url":"https://mail.example.com/","timeout":"soon"}`:     "timeout",
		`{"uri":"https://mail.example.com/"}`:                      "unknown field",
		`{"url":"https://mail.example.com/"} {"url":"https://"}`:   "more after",
		`{"url":"https://mail.example.com/","signingKey":"short"}`: "at least 32",
		`{"url":"https://mail.example.com/","signingKey":"` + strings.Repeat("k", 32) + `"}`: "",
		`nonsense`: "not {",
	} {
		_, err := httpmail.New([]byte(config))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", config, err, want)
		}
	}
}
