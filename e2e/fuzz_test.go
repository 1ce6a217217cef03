package e2e_test

import (
	"bytes"
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"idp/e2e/rig"
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
	rig.OnBoth(t, func(t *testing.T, s *rig.Server) {
		c := s.Machine()
		token := s.ManagementToken(c)
		cmd := exec.Command(".venv/bin/schemathesis", "run", s.Endpoint+"/api/swagger.json", "--header", "Authorization: Bearer "+token,
			"--max-examples", cmp.Or(os.Getenv("IDP_FUZZ"), "10"))
		cmd.Dir, cmd.Env = dir, append(rig.CleanEnv(), "MACHINE="+c.ID, "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("schemathesis: %v\n%s", err, ends(out))
		}
		if status := s.Manage(token, "/api/connectors"); status != http.StatusOK {
			t.Errorf("the token died on the way (%d): what came after it says nothing", status)
		}
	})
}

// ends cuts what may be megabytes of made-up calls.
func ends(out []byte) []byte {
	const most = 20_000
	if len(out) <= 2*most {
		return out
	}
	return bytes.Join([][]byte{out[:most], out[len(out)-most:]}, []byte("\n…\n"))
}
