package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// webTimeout bounds one request, and maxBody what is read of its answer.
const (
	webTimeout = 6 * time.Second
	maxBody    = 1 << 20
)

// certificateDays is how long before its end a certificate is worth a word: those that
// renew by themselves do so a month before.
const certificateDays = 21

// NewClient gives a client that follows no redirect: where one leads is a finding.
func NewClient() *http.Client {
	return &http.Client{Timeout: webTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Issuer is the server at its public address.
type Issuer struct {
	Endpoint *url.URL
	Version  string   // of this program; "": not compared
	Keys     []string // ids of the keys in the database; nil: not compared
	HTTP     *http.Client
}

// Metadata is what discovery says.
type Metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	JWKS          string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported"`
	Algs          []string `json:"id_token_signing_alg_values_supported"`
}

// Check asks the server as a client does. ok tells whether it is worth going on.
func (i Issuer) Check(ctx context.Context, tell Tell) (found Metadata, ok bool) {
	const check = "issuer"
	where := i.Endpoint.String() + "/oidc/.well-known/openid-configuration"
	answer, err := get(ctx, i.HTTP, where)
	if err != nil {
		tell.Fail(check, fixOf(err), "%s cannot be reached: %v", where, reason(err))
		return found, false
	}
	switch {
	case answer.status >= 300 && answer.status < 400:
		tell.Fail(check, "Clients follow no redirect here: set IDP_ENDPOINT to where it leads, or take the redirect out of the proxy.",
			"%s redirects to %s", where, answer.header.Get("Location"))
		return found, false
	case answer.status != http.StatusOK:
		tell.Fail(check, "Does the proxy pass /oidc/ on, with its path as it is?", "%s answers %d", where, answer.status)
		return found, false
	}
	if err := json.Unmarshal(answer.body, &found); err != nil {
		tell.Fail(check, "Something else answers at this address: look at the proxy.", "%s answers no JSON", where)
		return found, false
	}
	if want := i.Endpoint.String() + "/oidc"; found.Issuer != want {
		tell.Fail(check, "Give the server and this command the same IDP_ENDPOINT, as clients know it.",
			"the server calls itself %s, not %s: clients refuse its tokens", found.Issuer, want)
		return found, false
	}
	// The app's secret is posted to one of them.
	for _, where := range []string{found.Authorization, found.Token, found.JWKS} {
		if !strings.HasPrefix(where, found.Issuer+"/") {
			tell.Fail(check, "Something between here and the server changes its answers: look at the proxy.",
				"discovery leads to %q, which is not below %s", where, found.Issuer)
			return found, false
		}
	}
	tell.OK(check, "%s answers, by that name", found.Issuer)
	i.checkCertificate(tell, answer.tls)
	i.checkReady(ctx, tell)
	i.checkVersion(ctx, tell)
	i.checkKeys(ctx, tell, found)
	return found, true
}

func (i Issuer) checkCertificate(tell Tell, state *tls.ConnectionState) {
	const check = "certificate"
	if state == nil || len(state.PeerCertificates) == 0 {
		tell.OK(check, "none: http, on this machine only")
		return
	}
	end := state.PeerCertificates[0].NotAfter
	if days := int(time.Until(end).Hours() / 24); days < certificateDays {
		tell.Warn(check, "Renew it, and look at why it did not renew by itself.", "good until %s, %d days more", end.Format("2006-01-02"), days)
		return
	}
	tell.OK(check, "good until %s", end.Format("2006-01-02"))
}

func (i Issuer) checkReady(ctx context.Context, tell Tell) {
	const check = "ready"
	answer, err := get(ctx, i.HTTP, i.Endpoint.String()+"/readyz")
	switch {
	case err != nil:
		tell.Fail(check, fixOf(err), "/readyz does not answer: %v", reason(err))
	case answer.status == http.StatusOK:
		tell.OK(check, "the server has its database and keys")
	case answer.status == http.StatusNotFound || answer.status == http.StatusForbidden:
		tell.OK(check, "/readyz is not open at this address (%d)", answer.status)
	default:
		tell.Fail(check, "Look at the server's log.", "the server is not ready: %s", short(answer.body))
	}
}

func (i Issuer) checkVersion(ctx context.Context, tell Tell) {
	answer, err := get(ctx, i.HTTP, i.Endpoint.String()+"/healthz")
	var health struct{ Version string }
	if err != nil || i.Version == "" || json.Unmarshal(answer.body, &health) != nil || health.Version == "" {
		return
	}
	if health.Version != i.Version {
		tell.Warn("version", "Restart the server after an update.", "the server is %s, this command is %s", health.Version, i.Version)
		return
	}
	tell.OK("version", "%s, the server as well", i.Version)
}

// checkKeys finds a server that works on another database than this command.
func (i Issuer) checkKeys(ctx context.Context, tell Tell, found Metadata) {
	const check = "published keys"
	if i.Keys == nil {
		return
	}
	set, err := keys(ctx, i.HTTP, found.JWKS)
	if err != nil {
		tell.Fail(check, "Look at the server's log.", "%s: %v", found.JWKS, reason(err))
		return
	}
	for _, k := range set {
		if slices.Contains(i.Keys, k.ID) {
			tell.OK(check, "%d, of this database", len(set))
			return
		}
	}
	tell.Fail(check, "Give this command the IDP_DATABASE_URL of the server, or the server's IDP_ENDPOINT.",
		"none of the %d keys that the server publishes is in this database: it works on another one", len(set))
}

// key is one of a JWK set (RFC 7517).
type key struct {
	ID  string `json:"kid"`
	Alg string `json:"alg"`
}

func keys(ctx context.Context, client *http.Client, where string) ([]key, error) {
	answer, err := get(ctx, client, where)
	if err != nil {
		return nil, err
	}
	var set struct{ Keys []key }
	if answer.status != http.StatusOK || json.Unmarshal(answer.body, &set) != nil {
		return nil, fmt.Errorf("answers %d and no key set", answer.status)
	}
	return set.Keys, nil
}

// answered is an answer, read.
type answered struct {
	status int
	header http.Header
	body   []byte
	tls    *tls.ConnectionState
}

func get(ctx context.Context, client *http.Client, where string) (answered, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return answered{}, err
	}
	return do(client, req)
}

func do(client *http.Client, req *http.Request) (answered, error) {
	req.Header.Set("User-Agent", "idp-doctor")
	res, err := client.Do(req) //nolint:gosec // it asks the addresses that the operator configured, which is its purpose
	if err != nil {
		return answered{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	return answered{res.StatusCode, res.Header, body, res.TLS}, err
}

// reason leaves the address out, which is told already.
func reason(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// fixOf tells what to do about a connection that did not come about.
func fixOf(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		dns     *net.DNSError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &unknown):
		return "Serve the whole certificate chain, of an authority that clients know."
	case errors.As(err, &name):
		return "Get a certificate for the name in IDP_ENDPOINT."
	case errors.As(err, &invalid):
		return "Renew the certificate."
	case errors.As(err, &record):
		return "Something speaks http on the https port: look at the proxy."
	case errors.As(err, &dns):
		return "Add the name to the DNS, or correct IDP_ENDPOINT."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Start it: idp serve. If it runs, it listens elsewhere: compare IDP_ENDPOINT with the proxy and IDP_LISTEN."
	case errors.Is(err, context.DeadlineExceeded):
		return "A firewall keeps packets away, or the proxy waits for a server that does not answer."
	}
	return "Is the server running, and can it be reached from here by that name?"
}

// short is the beginning of a text, on one line.
func short(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(string(body)), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
