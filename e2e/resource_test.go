package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"idp/e2e/rig"

	"github.com/chromedp/chromedp"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"idp/store"
)

const (
	orders = "https://orders.example.com/api"
	stock  = "https://stock.example.com/api"
)

// APIs on jose and on coreos/go-oidc, as docs/resources.md has them, take access tokens of
// machines and of people for themselves, and no other; @logto/express from npm, unmodified,
// gets one and calls with it.
func TestResourceServer(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"clients/resource-server", "clients/logto-express"} {
		if err := installed(dir); err != nil {
			t.Fatalf("npm ci: %v (install Node.js and npm)", err)
		}
	}
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		m := newManagement(s)
		clerk := m.shops()
		apis := map[string]string{"jose": resourceServerOnNode(s), "go-oidc": resourceServerInGo(s)}
		good, bad := m.tokensOfAllKinds(clerk)
		for name, url := range apis {
			for kind, token := range good {
				if status, who := callAPI(t, url, token); status != 200 || !slices.Contains(who.Scopes, "read:orders") || who.ID == "" {
					t.Errorf("%s, %s: %d %+v", name, kind, status, who)
				}
			}
			for kind, token := range bad {
				if status, who := callAPI(t, url, token); status != 401 && (kind != "without the scope" || status != 403) {
					t.Errorf("%s takes %s: %d %+v", name, kind, status, who)
				}
			}
		}
		m.callsFromLogtoExpress(clerk, apis["jose"])
	})
}

// management is the management API, as a program with a machine's token calls it.
type management struct {
	*rig.Server
	token string
}

func newManagement(s *rig.Server) management {
	s.T.Helper()
	return management{s, s.MachineToken(s.NewClient("--type", "m2m", "--role", "Management API access"), store.ManagementIndicator)}
}

// post makes something and gives its id.
func (m management) post(path string, body map[string]any) (id string) {
	m.T.Helper()
	req := rig.Must(http.NewRequestWithContext(m.T.Context(), http.MethodPost, m.Endpoint+"/api"+path, bytes.NewReader(rig.Must(json.Marshal(body)))))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp := rig.Must(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	var made struct{ ID, Message string }
	if err := json.NewDecoder(resp.Body).Decode(&made); resp.StatusCode >= 300 {
		m.T.Fatalf("POST /api%s: %d %s %v", path, resp.StatusCode, made.Message, err)
	}
	return made.ID
}

// shops registers two APIs and the roles for them, and gives the id of the people's role.
func (m management) shops() (clerk string) {
	m.T.Helper()
	var read []string
	for _, indicator := range []string{orders, stock} {
		id := m.post("/resources", map[string]any{"name": "Shop", "indicator": indicator})
		read = append(read, m.post("/resources/"+id+"/scopes", map[string]any{"name": "read:orders"}))
		m.post("/resources/"+id+"/scopes", map[string]any{"name": "write:orders"})
	}
	m.post("/roles", map[string]any{"name": "Robot", "type": "MachineToMachine", "scopeIds": read})
	m.post("/roles", map[string]any{"name": "Idle", "type": "MachineToMachine"})
	return m.post("/roles", map[string]any{"name": "Clerk", "type": "User", "scopeIds": read})
}

func (m management) gives(user, role string) {
	m.T.Helper()
	m.post("/users/"+user+"/roles", map[string]any{"roleIds": []string{role}})
}

// tokensOfAllKinds are what the API at orders has to take, and what it must not.
func (m management) tokensOfAllKinds(clerk string) (good, bad map[string]string) {
	s := m.Server
	s.T.Helper()
	robot, idle := s.NewClient("--type", "m2m", "--role", "Robot"), s.NewClient("--type", "m2m", "--role", "Idle")
	v := rig.NewVisitor(s.T, s)
	v.SignUp(s.Request(s.NewClient()), "bob@example.com")
	r := s.Request(s.NewClient(), "state", "s")
	opaque := s.Redeem(r, v.Get(r.Path()).Answer(r).Get("code"))
	_, bob := s.Userinfo(opaque.AccessToken)
	m.gives(bob["sub"].(string), clerk)
	r = s.Request(s.NewClient(), "resource", orders, "scope", "openid read:orders", "state", "s")
	code := v.Get(r.Path()).Answer(r).Get("code")
	person := s.Token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {rig.Callback}, "code_verifier": {r.Verifier}, "resource": {orders}}, r.Client)
	machine := s.MachineToken(robot, orders)
	parts := strings.Split(machine, ".")
	text := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
	good = map[string]string{"a machine's": machine, "a person's": person.AccessToken}
	bad = map[string]string{
		"no token": "", "an ID token": person.IDToken, "an opaque access token": opaque.AccessToken,
		"another API's": s.MachineToken(robot, stock), "without the scope": s.MachineToken(idle, orders),
		"one with other claims":       parts[0] + "." + text(`{"iss":"`+s.Endpoint+`/oidc","aud":"`+orders+`","sub":"mallory","scope":"read:orders","exp":9999999999}`) + "." + parts[2],
		"one without a signature":     text(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + ".",
		"one whose signature is cut":  machine[:len(machine)-4],
		"the management API's access": m.token,
	}
	return good, bad
}

// caller is whom an API takes a call for.
type caller struct {
	ID     string   `json:"id"`
	App    string   `json:"app"`
	Scopes []string `json:"scopes"`
	Roles  []string `json:"roles"`
}

func callAPI(t *testing.T, url, token string) (status int, who caller) {
	t.Helper()
	req := rig.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp := rig.Must(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	_ = json.NewDecoder(resp.Body).Decode(&who)
	return resp.StatusCode, who
}

func resourceServerOnNode(s *rig.Server) string {
	s.T.Helper()
	addr := rig.FreeAddr(s.T)
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("node", "app.mjs")
	cmd.Dir, cmd.Env = "clients/resource-server", append(rig.CleanEnv(), "PORT="+port, "ISSUER="+s.Endpoint+"/oidc", "AUDIENCE="+orders)
	appSite{Server: s, home: "http://" + addr}.runs(cmd)
	return "http://" + addr
}

// resourceServerInGo is the API of docs/resources.md in Go.
func resourceServerInGo(s *rig.Server) string {
	s.T.Helper()
	provider := rig.Must(oidc.NewProvider(context.Background(), s.Endpoint+"/oidc"))
	verifier := provider.Verifier(&oidc.Config{ClientID: orders, SupportedSigningAlgs: []string{oidc.ES256}})
	caller := func(ctx context.Context, token string) (who caller, err error) {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return who, err
		}
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil || parsed.Signatures[0].Header.ExtraHeaders[jose.HeaderType] != "at+jwt" {
			return who, errors.New("not an access token")
		}
		var claims struct{ Scope string }
		err = verified.Claims(&claims)
		who.ID, who.Scopes = verified.Subject, strings.Fields(claims.Scope)
		return who, err
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := caller(r.Context(), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		switch {
		case err != nil:
			w.WriteHeader(http.StatusUnauthorized)
		case !slices.Contains(who.Scopes, "read:orders"):
			w.WriteHeader(http.StatusForbidden)
		}
		_ = json.NewEncoder(w).Encode(who)
	}))
	s.T.Cleanup(api.Close)
	return api.URL
}

// callsFromLogtoExpress signs somebody in to an app that calls the API in their name, first
// without a role and then with one.
func (m management) callsFromLogtoExpress(clerk, api string) {
	s := m.Server
	s.T.Helper()
	a := newAppSite(s, "/logto/sign-in-callback", "", "--type", "traditional")
	cmd := exec.Command("node", "app.mjs")
	cmd.Dir, cmd.Env = "clients/logto-express", append(a.env, "RESOURCE="+orders, "API_URL="+api)
	a.runs(cmd)
	b := tab{s.T, chromium(s.T)}
	b.do(chromedp.Navigate(a.home + "/logto/sign-in"))
	b.submit(emailField, "ada@example.com")
	b.do(chromedp.WaitVisible(codeField))
	b.submit(codeField, s.Code("ada@example.com", 1))
	b.do(chromedp.Click(chromedp.CSS(`form:has([name="confirm"]) button`)))
	a.says(b, "sign out")
	b.do(chromedp.Navigate(a.home + "/orders"))
	b.sees("Orders: 403")
	var who caller
	if err := json.Unmarshal([]byte(b.text("#orders")), &who); err != nil || who.ID == "" || who.App == "" || slices.Contains(who.Scopes, "read:orders") {
		s.T.Errorf("%+v %v", who, err)
	}
	m.gives(who.ID, clerk)
	// The SDK keeps the token; another sign-in gives another one.
	b.do(chromedp.Navigate(a.home + "/logto/sign-in"))
	a.says(b, "sign out")
	b.do(chromedp.Navigate(a.home + "/orders"))
	b.sees("Orders: 200")
	if err := json.Unmarshal([]byte(b.text("#orders")), &who); err != nil || !slices.Equal(who.Scopes, []string{"read:orders"}) || !slices.Equal(who.Roles, []string{"Clerk"}) {
		s.T.Errorf("%+v %v", who, err)
	}
	refusedNothing(s)
}
