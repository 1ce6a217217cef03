package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhookTold ENDPOINT CLIENT SECRET sets a webhook up as that machine, makes an account, and
// waits until the hook is told of it under the right signature.
func webhookTold(ts *testscript.TestScript, _ bool, args []string) {
	endpoint, client, secret := args[0], args[1], args[2]
	got := make(chan *http.Request, 1)
	var body []byte
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		got <- r
	}))
	ts.Defer(receiver.Close)

	post := func(path, contentType, authorization, text string) map[string]any {
		r, err := http.NewRequest(http.MethodPost, endpoint+path, strings.NewReader(text)) //nolint:noctx // the script ends it
		ts.Check(err)
		r.Header.Set("Content-Type", contentType)
		if authorization == "" {
			r.SetBasicAuth(client, secret)
		} else {
			r.Header.Set("Authorization", authorization)
		}
		answer, err := http.DefaultClient.Do(r)
		ts.Check(err)
		defer answer.Body.Close()
		var out map[string]any
		ts.Check(json.NewDecoder(answer.Body).Decode(&out))
		if answer.StatusCode >= 300 {
			ts.Fatalf("%s: %d %v", path, answer.StatusCode, out)
		}
		return out
	}
	token, _ := post("/oidc/token", "application/x-www-form-urlencoded", "", url.Values{
		"grant_type": {"client_credentials"}, "resource": {"https://default.logto.app/api"}, "scope": {"all"}}.Encode())["access_token"].(string)
	key, _ := post("/api/hooks", "application/json", "Bearer "+token, `{"events":["User.Created"],"config":{"url":"`+receiver.URL+`"}}`)["signingKey"].(string)
	post("/api/users", "application/json", "Bearer "+token, `{"primaryEmail":"grace@example.com"}`)
	select {
	case r := <-got:
		m := hmac.New(sha256.New, []byte(key))
		m.Write(body)
		if r.Header.Get("logto-signature-sha-256") != hex.EncodeToString(m.Sum(nil)) || !bytes.Contains(body, []byte("grace@example.com")) {
			ts.Fatalf("%v %s", r.Header, body)
		}
	case <-time.After(time.Minute):
		ts.Fatalf("nothing came")
	}
}
