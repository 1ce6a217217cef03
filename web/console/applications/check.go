package applications

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// checkPath is where the addresses of a form are looked at while they are typed.
func checkPath(t store.ClientType) string {
	return listPath + "/check?" + url.Values{"type": {string(t)}}.Encode()
}

// check is GET /console/applications/check: what the server would say of a field of
// addresses, for scripts. {"error": ""} is nothing.
func (p *Pages) check(v *shell.Visit) error {
	t := store.ClientType(v.Form.Get("type"))
	form := v.Typed()
	answer := map[string]string{"error": ""}
	for name, check := range map[string]func(string) error{"redirectUris": t.CheckRedirectURI, "postLogoutRedirectUris": t.CheckPostLogoutURI} {
		if wrong := wrongLines(v, form.Lines(name), check); wrong != "" {
			answer["error"] = wrong
		}
	}
	v.W.Header().Set("Content-Type", "application/json")
	v.W.WriteHeader(http.StatusOK)
	return json.NewEncoder(v.W).Encode(answer)
}

// wrongLines says of each address that cannot be registered why, each on a line.
func wrongLines(v *shell.Visit, uris []string, check func(string) error) string {
	var wrong []string
	for i, uri := range uris {
		var why *store.URIError
		if err := check(uri); errors.As(err, &why) {
			wrong = append(wrong, v.T("Line %d %s.", i+1, v.T(why.Reason)))
		}
	}
	return strings.Join(wrong, "\n")
}
