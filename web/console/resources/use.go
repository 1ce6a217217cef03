package resources

import (
	"net/http"
	"net/url"
	"strings"

	"idp/store"
	"idp/web/console/shell"
)

// named is how many scopes the examples ask for.
const named = 3

type useView struct {
	shell.Frame
	head

	Issuer, Keys             string
	Machine, Authorize, Node string
}

// use is GET /console/resources/ID/use.
func (p *Pages) use(v *shell.Visit) error {
	r, err := p.admin.Resource(v.R.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	scopes, _, err := p.admin.Scopes(v.R.Context(), r.ID, store.Listing{Limit: named})
	if err != nil {
		return err
	}
	names := make([]string, len(scopes))
	if r.ID == store.ManagementResource {
		scopes, names = nil, []string{store.ScopeAll}
	}
	for i, c := range scopes {
		names[i] = c.Name
	}
	issuer := strings.TrimRight(p.shell.Endpoint.String(), "/") + "/oidc"
	view := useView{Frame: v.Frame(shell.Resources), head: headOf(v, r, "use"), Issuer: issuer, Keys: issuer + "/jwks"}
	view.Machine = machineExample(issuer, r.Indicator, names)
	view.Authorize = authorizeExample(issuer, r.Indicator, names)
	view.Node = nodeExample(issuer, r.Indicator, names)
	return v.Show(http.StatusOK, p.set, "use", view)
}

// machineExample is a command that gets a token for a program.
func machineExample(issuer, indicator string, scopes []string) string {
	lines := []string{
		"curl -u CLIENT_ID:CLIENT_SECRET " + quoted(issuer+"/token"),
		"  -d grant_type=client_credentials",
		"  --data-urlencode " + quoted("resource="+indicator),
	}
	if len(scopes) > 0 {
		lines = append(lines, "  --data-urlencode "+quoted("scope="+strings.Join(scopes, " ")))
	}
	return strings.Join(lines, " \\\n")
}

// quoted is a word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// authorizeExample is the address that an app sends a person to; what has no value of this
// resource is left to the app.
func authorizeExample(issuer, indicator string, scopes []string) string {
	asked := append([]string{"openid", "offline_access"}, scopes...)
	return issuer + "/auth?client_id=CLIENT_ID\n  &redirect_uri=REDIRECT_URI&response_type=code\n  &code_challenge=…&code_challenge_method=S256&state=…\n  &scope=" +
		url.PathEscape(strings.Join(asked, " ")) + "\n  &resource=" + url.QueryEscape(indicator)
}

// nodeExample is how an API in Node.js checks a token, with the package jose.
func nodeExample(issuer, indicator string, scopes []string) string {
	needed := "read:something"
	if len(scopes) > 0 {
		needed = scopes[0]
	}
	return `import { createRemoteJWKSet, jwtVerify } from "jose";

const issuer = ` + scriptText(issuer) + `;
const keys = createRemoteJWKSet(new URL(` + "`${issuer}/jwks`" + `));

export async function mayCall(request) {
  const token = request.headers.authorization?.match(/^Bearer (.+)$/i)?.[1] ?? "";
  const { payload } = await jwtVerify(token, keys, {
    issuer, audience: ` + scriptText(indicator) + `, typ: "at+jwt",
  });
  return payload.scope.split(" ").includes(` + scriptText(needed) + `);
}`
}

// scriptText is a string of JavaScript. Neither indicators nor names of scopes have a quote
// or a backslash in them.
func scriptText(text string) string { return `"` + text + `"` }
