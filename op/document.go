package op

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// document is a public JSON document that stays the same between changes of
// configuration.
type document struct {
	body  []byte
	etag  string
	cache string // Cache-Control
}

func newDocument(v any, cache string) (document, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("write document: %w", err)
	}
	sum := sha256.Sum256(body)
	return document{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, cache}, nil
}

// serve answers GET, HEAD and a preflight from anywhere.
func (d document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	methods := []string{http.MethodGet, http.MethodHead}
	if r.Method == http.MethodOptions {
		allowPreflight(h, methods)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !allowed(w, r, methods) {
		return
	}
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", d.cache)
	if matches(r.Header.Get("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json")
	_, _ = w.Write(d.body) // the caller may have gone
}

// matches compares as RFC 9110 section 13.1.2 asks: weakly.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

func (p *Provider) serveDiscovery(w http.ResponseWriter, r *http.Request) { p.discovery.serve(w, r) }

func (p *Provider) serveKeys(w http.ResponseWriter, r *http.Request) {
	set, err := p.currentKeys(r.Context())
	if err != nil {
		p.log.ErrorContext(r.Context(), "publish keys", "error", err)
		writeError(w, answerable(err), 0)
		return
	}
	set.document.serve(w, r)
}

// configuration is the provider's metadata (OpenID Connect Discovery section 3,
// RFC 8414, RFC 9207, RP-Initiated Logout section 2.1). It names nothing that is not there.
type configuration struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgs           []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectAuthAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Claims                []string `json:"claims_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	AuthorizationIss      bool     `json:"authorization_response_iss_parameter_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"` // absent would mean true
}

func (p *Provider) configuration() configuration {
	confidential := []string{string(oidc.AuthMethodBasic), string(oidc.AuthMethodPost), string(oidc.AuthMethodPrivateKeyJWT)}
	all := append(confidential, string(oidc.AuthMethodNone))
	return configuration{
		Issuer:                p.issuer,
		AuthorizationEndpoint: p.issuer + pathAuth,
		TokenEndpoint:         p.issuer + pathToken,
		UserinfoEndpoint:      p.issuer + pathUserinfo,
		RevocationEndpoint:    p.issuer + pathRevoke,
		IntrospectionEndpoint: p.issuer + pathIntrospect,
		EndSessionEndpoint:    p.issuer + pathEndSession,
		JWKSURI:               p.issuer + pathKeys,
		Scopes:                scopesSupported,
		ResponseTypes:         []string{string(oidc.ResponseTypeCode)},
		ResponseModes:         []string{string(oidc.ResponseModeQuery)},
		GrantTypes:            []string{string(oidc.GrantTypeCode), string(oidc.GrantTypeRefreshToken), string(oidc.GrantTypeClientCredentials)},
		SubjectTypes:          []string{"public"},
		IDTokenAlgs:           algsSupported,
		TokenAuthMethods:      all,
		TokenAuthAlgs:         assertionAlgs,
		RevocationAuthMethods: all,
		RevocationAuthAlgs:    assertionAlgs,
		IntrospectAuthMethods: confidential,
		IntrospectAuthAlgs:    assertionAlgs,
		ChallengeMethods:      []string{string(oidc.CodeChallengeMethodS256)},
		Claims: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid", "at_hash",
			"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "address", "created_at", "updated_at", "email", "email_verified", "roles"},
		ClaimTypes:       []string{"normal"},
		Prompts:          []string{promptNone, promptLogin, promptConsent, promptSelect, promptCreate},
		AuthorizationIss: true,
	}
}
