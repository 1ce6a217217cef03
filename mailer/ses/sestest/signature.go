package sestest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody is what SES takes of a request, with room.
const maxBody = 50 << 20

// skew is how far a request's time may be off.
const skew = 5 * time.Minute

// signed verifies a request before its handler sees it, and gives that the body.
func (s *Server) signed(action string, handle func(w http.ResponseWriter, r *http.Request, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		if f := s.verify(r, body); f != OK {
			answer(w, f)
			return
		}
		s.mu.Lock()
		denied := s.denied[action]
		s.mu.Unlock()
		if denied {
			answer(w, Fault{Status: http.StatusForbidden, Code: "AccessDeniedException",
				Message: "User: arn:aws:iam::123456789012:user/idp is not authorized to perform: ses:" + action})
			return
		}
		handle(w, r, body)
	}
}

// verify signs the request once more with the key it claims and compares.
func (s *Server) verify(r *http.Request, body []byte) Fault {
	given := r.Header.Get("Authorization")
	fields, ok := strings.CutPrefix(given, "AWS4-HMAC-SHA256 ")
	if !ok {
		return Fault{Status: 403, Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	}
	var credential, headers string
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			credential = value
		case "SignedHeaders":
			headers = value
		}
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return Fault{Status: 403, Code: "IncompleteSignatureException", Message: "Date must be in ISO-8601 'basic format'."}
	}
	key, scope, _ := strings.Cut(credential, "/")
	if key != s.options.AccessKeyID {
		return UnknownKey
	}
	if want := at.Format("20060102") + "/" + s.options.Region + "/ses/aws4_request"; scope != want {
		return Fault{Status: 403, Code: "InvalidSignatureException", Message: "Credential should be scoped to a valid region, not " + scope}
	}
	if off := s.options.Now().Sub(at); off > skew || off < -skew {
		return Fault{Status: 403, Code: "InvalidSignatureException", Message: "Signature expired: " + r.Header.Get("X-Amz-Date") + " is now earlier than the allowed time"}
	}
	want, err := s.sign(r, body, headers, at)
	if err != nil || subtle.ConstantTimeCompare([]byte(want), []byte(given)) != 1 {
		return Fault{Status: 403, Code: "InvalidSignatureException", Message: "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	return OK
}

// sign gives the Authorization header of the request as its caller should have made it:
// over the headers that the caller names.
func (s *Server) sign(r *http.Request, body []byte, headers string, at time.Time) (string, error) {
	again := &http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: http.Header{}}
	for name := range strings.SplitSeq(headers, ";") {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = int64(len(body))
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	if err := s.signer.SignHTTP(context.Background(), s.access, again, hex.EncodeToString(sum[:]), "ses", s.options.Region, at); err != nil {
		return "", err
	}
	// Some put a space after the commas and some do not.
	got := again.Header.Get("Authorization")
	if !strings.Contains(r.Header.Get("Authorization"), ", ") {
		got = strings.ReplaceAll(got, ", ", ",")
	}
	return got, nil
}
