package ses_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idp/mailer"
	"idp/mailer/ses"
	"idp/mailer/ses/sestest"
)

// mailOfUsualSize has the weight of our own mails.
func mailOfUsualSize() mailer.Rendered {
	m := rendered()
	m.HTML = strings.Repeat("<p>Your code is <b>123456</b></p>\n", 260) // 9 kB
	m.Text = strings.Repeat("Your code is 123456\n", 25)
	return m
}

// BenchmarkSend measures what a mail costs here: building, SigV4, JSON, HTTP, TLS. The
// server answers from constants, so that its share of the CPU is small.
func BenchmarkSend(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte(`{"MessageId":"0100018c-1"}`))
	})
	b.Run("http", func(b *testing.B) { benchmarkSend(b, httptest.NewServer(handler)) })
	b.Run("https", func(b *testing.B) {
		server := httptest.NewTLSServer(handler)
		root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		file := filepath.Join(b.TempDir(), "root.pem")
		if err := os.WriteFile(file, root, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Setenv("SSL_CERT_FILE", file) // read once, when the first certificate is verified
		benchmarkSend(b, server)
	})
}

func benchmarkSend(b *testing.B, server *httptest.Server) {
	defer server.Close()
	s, err := ses.Factory(ses.Options{Endpoint: server.URL})([]byte(`{"accessKeyId":"A","accessKeySecret":"s","region":"us-east-1","emailAddress":"A<a@example.com>"}`))
	if err != nil {
		b.Fatal(err)
	}
	m := mailOfUsualSize()
	before := cpu(b)
	for b.Loop() {
		if _, err := s.Send(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkFake measures sender and fake together at 64 mails at a time, in mails a second.
func BenchmarkFake(b *testing.B) {
	fake := sestest.Start(sestest.Options{Discard: true})
	defer fake.Close()
	s := sender(b, fake, nil)
	began, before := time.Now(), cpu(b)
	var hands sync.WaitGroup
	work := make(chan int)
	for range 64 {
		hands.Go(func() {
			for i := range work {
				m := mailOfUsualSize()
				m.To = fmt.Sprintf("p%d@example.com", i)
				if _, err := s.Send(b.Context(), m); err != nil {
					b.Error(err)
				}
			}
		})
	}
	n := 0
	for b.Loop() {
		work <- n
		n++
	}
	close(work)
	hands.Wait()
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "mails/s")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(n), "cpu-µs/op")
}

// cpu is what the process used of all processors.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
