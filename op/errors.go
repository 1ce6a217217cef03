package op

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"idp/store"
)

// Error codes that the library has no name for.
const (
	invalidToken           = "invalid_token"           // RFC 6750 section 3.1
	insufficientScope      = "insufficient_scope"      // RFC 6750 section 3.1
	unsupportedTokenType   = "unsupported_token_type"  // RFC 7009 section 2.2.1
	invalidTarget          = "invalid_target"          // RFC 8707 section 2
	temporarilyUnavailable = "temporarily_unavailable" // RFC 6749 section 4.1.2.1

	// The caller left while the answer was made. It is for the log and the metrics, as its status is.
	requestCanceled = "request_canceled"
)

// retryAfter is how many seconds a client is asked to wait for the database: a
// failover takes longer, but most outages are a blip.
const retryAfter = "2"

// statusLeft is serve.StatusLeft: no fault of ours, and nobody reads it.
const statusLeft = 499

// errorBody is an error as Logto's SDKs want it: without code and message they
// show "unexpected_response_error" in the place of the reason.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	Code        string `json:"code"`
	Message     string `json:"message"`
}

// answerable makes any error one that may be shown. The cause goes along as the
// parent, which is logged and never sent.
func answerable(err error) *oidc.Error {
	var known *oidc.Error
	switch {
	case errors.As(err, &known):
		return known
	case store.CodeOf(err) == store.Unavailable, errors.Is(err, context.DeadlineExceeded): // also where a driver gave up by canceling
		return (&oidc.Error{ErrorType: temporarilyUnavailable, Description: "the database does not answer, try again shortly"}).WithParent(err)
	case errors.Is(err, context.Canceled):
		return (&oidc.Error{ErrorType: requestCanceled, Description: "the request was broken off"}).WithParent(err)
	}
	return oidc.ErrServerError().WithDescription("something went wrong on the server").WithParent(err)
}

// writeError writes an error; with status 0 the code decides over the status.
func writeError(w http.ResponseWriter, e *oidc.Error, status int) {
	body := errorBody{Error: string(e.ErrorType), Description: e.Description, Code: "oidc." + string(e.ErrorType), Message: e.Description}
	if body.Message == "" {
		body.Message = body.Error
	}
	h := w.Header()
	switch body.Error {
	case string(oidc.InvalidClient): // RFC 6749 section 5.2
		status = http.StatusUnauthorized
		h.Set("WWW-Authenticate", `Basic realm="idp"`)
	case invalidToken:
		status = http.StatusUnauthorized
		challenge := `Bearer realm="idp", error="invalid_token"`
		if e.Description == nothingSent { // RFC 6750 section 3.1: no code where nobody tried
			challenge = `Bearer realm="idp"`
		}
		h.Set("WWW-Authenticate", challenge)
	case insufficientScope:
		status = http.StatusForbidden
		h.Set("WWW-Authenticate", `Bearer realm="idp", error="insufficient_scope", scope="openid"`)
	case requestCanceled:
		status = statusLeft
	case temporarilyUnavailable:
		status = http.StatusServiceUnavailable
		h.Set("Retry-After", retryAfter)
	case string(oidc.ServerError):
		if status < 500 && status != http.StatusNotFound {
			status = http.StatusInternalServerError
		}
	}
	if status == 0 {
		status = http.StatusBadRequest
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("Content-Type", "application/json")
	out, _ := json.Marshal(body) // strings only
	if c, ok := w.(*call); ok {
		c.send(status, out)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(out) // the caller may have gone
}

// call is one call to the token or userinfo endpoint. It holds back the error
// that the library writes, so that it goes out in our form, and adds the CORS
// header once the client is known.
type call struct {
	http.ResponseWriter
	provider *Provider
	request  *http.Request
	client   *store.Client // set when it is known

	failed int // status of the library's error
	body   bytes.Buffer
	sent   bool
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// knowsClient notes whose call it is.
func knowsClient(ctx context.Context, client store.Client) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.client = &client
	}
}

// WriteHeader implements [http.ResponseWriter].
func (c *call) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		c.failed = status
		return
	}
	c.provider.share(c, status)
	c.sent = true
	c.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (c *call) Write(b []byte) (int, error) {
	if c.failed != 0 {
		return c.body.Write(b)
	}
	return c.ResponseWriter.Write(b)
}

func (c *call) send(status int, body []byte) {
	c.failed, c.sent = 0, true
	c.provider.share(c, status)
	c.ResponseWriter.WriteHeader(status)
	_, _ = c.ResponseWriter.Write(body)
}

// finish sends the error that the library wrote.
func (c *call) finish() {
	if c.sent || c.failed == 0 {
		return
	}
	var e oidc.Error
	if err := json.Unmarshal(c.body.Bytes(), &e); err != nil || e.ErrorType == "" {
		e = oidc.Error{ErrorType: oidc.ServerError, Description: "something went wrong on the server"}
	}
	writeError(c, &e, c.failed)
}
