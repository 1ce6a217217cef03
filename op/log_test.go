package op_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The library logs through slog.Default, which belongs to the whole process: this
// test runs alone.
func TestLogsHoldNoSecrets(t *testing.T) {
	var out lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	f := setup(t)
	state, mark := "state-to-keep-silent", "MARK%zz"
	code := f.code("state", state)
	got := f.tokens(f.exchange(code))
	f.exchange(code)
	f.exchange(code, "client_secret", mark)
	f.exchange(mark)
	f.exchange(code, "code_verifier", mark)
	f.exchange(code, "grant_type", mark)
	f.exchange(code, "redirect_uri", mark)
	f.exchange(code, "client_assertion", mark, "client_assertion_type", mark)
	f.exchange(code, "client_id", mark)
	f.basic("shop", mark, code)
	f.basic(mark, secret, code)
	f.exchangeWith("Basic "+mark, code)
	f.do(http.MethodPost, "/oidc/token", "code="+mark+"&"+mark+"=1&"+mark+"=2")
	f.get("/oidc/me", "Authorization", "Bearer "+mark)
	f.get("/oidc/me?access_token=" + got.Access)
	for _, changes := range [][]string{
		{"response_type", mark}, {"prompt", mark}, {"client_id", mark}, {"redirect_uri", mark}, {"nonce", mark + "\x00"}, {"request", mark},
		{"code_challenge", mark}, {"max_age", mark}, {"prompt", "none"}, {"scope", mark}, {"response_mode", mark},
	} {
		f.authorize(append(changes, "state", state)...)
	}
	f.get("/oidc/" + "MARK")
	logged := out.String() + f.log.String()
	if !strings.Contains(logged, "invalid_grant") || !strings.Contains(logged, "authorization request denied") {
		t.Errorf("nothing was logged:\n%s", logged)
	}
	if !strings.Contains(logged, "error_code=login_required") {
		t.Errorf("the log does not say which error went to the client:\n%s", logged)
	}
	for _, s := range []string{state, "MARK", code, got.Access, got.ID, secret, verifier, s256, "ada@"} {
		if strings.Contains(logged, s) {
			t.Errorf("%q is in the log:\n%s", s, logged)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
