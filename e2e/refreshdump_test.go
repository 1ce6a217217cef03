package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// As TestDumpAndLogsHoldNoSecrets, for what comes after the sign-in: refresh tokens, old
// and new, the access tokens that they gave, and the hint of a sign-out.
func TestDumpAndLogsHoldNoRefreshTokens(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, engine, "IDP_LOG_LEVEL=debug", "IDP_LOG_FORMAT=json")
			s.start()
			app := s.newClient("--type", "spa", "--redirect-uri", plainCallback) // its token is replaced at each use
			r := s.request(app, "scope", "openid email offline_access")
			v := newVisitor(t, s)
			code := v.signUp(r, "ada.secret@example.com").Get("code")
			l := leaks{t: t, secrets: map[string]string{}}
			ask := func(name string, form url.Values) string {
				t.Helper()
				form.Set("client_id", app.ID)
				p := v.do(http.MethodPost, "/oidc/token", form).is(200)
				var tok struct {
					Access  string `json:"access_token"`
					ID      string `json:"id_token"`
					Refresh string `json:"refresh_token"`
				}
				if err := json.Unmarshal([]byte(p.body), &tok); err != nil || tok.Refresh == "" {
					t.Fatal(p.body, err)
				}
				raw := must(base64.RawURLEncoding.DecodeString(tok.Refresh))
				l.secrets[name+" refresh token"] = tok.Refresh
				l.secrets[name+" refresh token's secret part"] = base64.RawURLEncoding.EncodeToString(raw[16:48])
				l.secrets[name+" access token"], l.secrets[name+" ID token"] = tok.Access, tok.ID
				return tok.Refresh
			}
			refresh := func(token string) url.Values {
				return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
			}
			first := ask("the first", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {plainCallback}, "code_verifier": {r.verifier}})
			last := ask("the last", refresh(ask("the second", refresh(first))))
			v.do(http.MethodPost, "/oidc/token/revocation", url.Values{"client_id": {app.ID}, "token": {last}}).is(200)
			form := refresh(last)
			form.Set("client_id", app.ID)
			v.do(http.MethodPost, "/oidc/token", form).is(400)
			v.get("/oidc/session/end?state=nobodys-business&id_token_hint="+l.secrets["the last ID token"]).is(200, "signed out")
			if status := s.stop(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			d := s.dump()
			l.notIn(d)
			l.notInLog(s.log.String(), "ada.secret", "nobodys-business")
			if len(d.find([]byte(app.ID))) == 0 {
				t.Fatal("this is no dump of our database")
			}
		})
	}
}
