package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// schemathesis from PyPI reads the management API's document and sends what it allows, what
// it does not allow, and what nobody thought of: no answer is a 5xx, none is one that the
// document does not name, and what breaks the document's rules is refused. IDP_FUZZ is how
// many calls it makes up for each operation, beside the ones at the edges of each rule.
func TestManagementAPIKeepsToItsDocument(t *testing.T) {
	t.Parallel()
	const dir = "clients/schemathesis"
	if _, err := virtualEnv(dir); err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, s *server) {
		c := s.machine()
		token := s.managementToken(c)
		cmd := exec.Command(".venv/bin/schemathesis", "run", s.endpoint+"/api/swagger.json", "--header", "Authorization: Bearer "+token,
			"--max-examples", cmp.Or(os.Getenv("IDP_FUZZ"), "10"))
		cmd.Dir, cmd.Env = dir, append(cleanEnv(), "MACHINE="+c.ID, "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("schemathesis: %v\n%s", err, ends(out))
		}
		if status := s.manage(token, "/api/connectors"); status != http.StatusOK {
			t.Errorf("the token died on the way (%d): what came after it says nothing", status)
		}
	})
}

// machine makes the client that everything else is set up with. It is the only thing that
// a command is needed for.
func (s *server) machine() client {
	s.t.Helper()
	return s.newClient("--type", "m2m", "--role", "Management API access")
}

// ends cuts what may be megabytes of made-up calls.
func ends(out []byte) []byte {
	const most = 20_000
	if len(out) <= 2*most {
		return out
	}
	return bytes.Join([][]byte{out[:most], out[len(out)-most:]}, []byte("\n…\n"))
}

// managementToken gets a token for the management API.
func (s *server) managementToken(c client) string {
	s.t.Helper()
	resp, err := http.PostForm(s.endpoint+"/oidc/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret},
		"resource": {"https://default.logto.app/api"}, "scope": {"all"}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		s.t.Fatalf("no token: %d %v", resp.StatusCode, err)
	}
	return answer.AccessToken
}

// manage reads something over the management API.
func (s *server) manage(token, path string) int {
	s.t.Helper()
	r := must(http.NewRequest(http.MethodGet, s.endpoint+path, nil))
	r.Header.Set("Authorization", "Bearer "+token)
	resp := must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	return resp.StatusCode
}
