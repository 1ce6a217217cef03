package webhook_test

import (
	"net/http"
	"strings"
	"testing"

	"idp/webhook"
)

// Who tries a hook sees what was answered: some of it, and nothing that could move things
// about on a screen.
func TestTrialTellsTheAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for body, want := range map[string]string{
		"":                          "",
		"no such\r\n\tplace <b>":    "no such\n\tplace <b>",
		"a\x1b[2Jb\u202ec\xff\x00d": "a\ufffd[2Jb\ufffdc\ufffd\ufffdd",
		strings.Repeat("x", 9000):   strings.Repeat("x", 2048),
	} {
		r := w.receive(func(_ int, rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusTeapot)
			_, _ = rw.Write([]byte(body))
		})
		got := w.try(w.desk(loopback), webhook.Config{URL: r.URL})
		if got.Event != webhook.PostSignIn || got.Status != http.StatusTeapot || got.Answer != want || got.Took <= 0 || got.Err == nil {
			t.Errorf("%q: %+v", body, got)
		}
	}
	r := w.receive(func(_ int, rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("thanks")) })
	if got := w.try(w.desk(loopback), webhook.Config{URL: r.URL}); got.Err != nil || got.Status != http.StatusOK || got.Answer != "thanks" {
		t.Errorf("%+v", got)
	}
}
