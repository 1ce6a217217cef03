package certificate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// refusals listens to what the authority says of challenges that did not work ("connection
// refused", "no such host"): package autocert tells no more than that none did, and
// an operator needs to know why.
type refusals struct {
	next http.RoundTripper
	mu   sync.Mutex
	said error
}

// RoundTrip implements [http.RoundTripper].
func (r *refusals) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	if err != nil {
		return res, err
	}
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(res.Body, most))
	if cerr := res.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var authorization struct { // RFC 8555 section 7.1.4
		Status     string `json:"status"`
		Challenges []struct {
			Type  string                   `json:"type"`
			Error *struct{ Detail string } `json:"error"`
		} `json:"challenges"`
	}
	if err := json.Unmarshal(body, &authorization); err != nil || authorization.Status != "invalid" {
		return res, nil //nolint:nilerr // another kind of answer: it is the client's to judge
	}
	for _, c := range authorization.Challenges {
		if c.Error != nil {
			r.mu.Lock()
			r.said = errors.Join(r.said, errors.New(c.Type+": "+c.Error.Detail))
			r.mu.Unlock()
		}
	}
	return res, nil
}

// take gives what was said since the last time, nil for nothing.
func (r *refusals) take() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	said := r.said
	r.said = nil
	return said
}
