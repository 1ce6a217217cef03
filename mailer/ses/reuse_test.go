package ses_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"idp/mailer/ses"
)

// A mail after another goes over the connection of the first: a new one costs a TLS
// handshake, and the wait for it.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"MessageId":"0100018c-1"}`))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s, err := ses.Factory(ses.Options{Endpoint: server.URL})([]byte(`{"accessKeyId":"A","accessKeySecret":"s","region":"us-east-1","emailAddress":"A<a@example.com>"}`))
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err := s.Send(t.Context(), rendered()); err != nil {
			t.Fatal(err)
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("200 mails took %d connections", n)
	}
}
