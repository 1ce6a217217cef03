package smtp_test

import (
	"syscall"
	"testing"

	"idp/mailer/smtp"
)

// BenchmarkSend gives mails to a scripted server in this process, over TLS where it says
// so. The figure cpu-µs/mail has the server's work in it; sealing alone is apart.
func BenchmarkSend(b *testing.B) {
	rsaKey, _ := key(b, "rsa")
	edKey, _ := key(b, "ed25519")
	for _, c := range []struct {
		name   string
		mode   int
		config func(*sink) config
	}{
		{"clear", bare, func(*sink) config { return nil }},
		{"TLS", wrapped, func(s *sink) config { return config{"tls": config{"policy": "tls", "ca": s.ca}} }},
		{"DKIM-ed25519", bare, func(*sink) config { return config{"dkim": signing(edKey)} }},
		{"DKIM-rsa2048", bare, func(*sink) config { return config{"dkim": signing(rsaKey)} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := newSink(b, c.mode, nil)
			s := server.sender(b, c.config(server))
			measure(b, s)
			server.mu.Lock()
			server.mails = nil
			server.mu.Unlock()
		})
	}
}

func signing(private string) config {
	return config{"domain": "shop.example", "selector": "s1", "privateKey": private}
}

func measure(b *testing.B, s *smtp.Sender) {
	b.Helper()
	if _, err := send(b, s, mail); err != nil {
		b.Fatal(err)
	}
	before := cpu(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Send(b.Context(), mail); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-µs/mail")
}

// cpu is what this process has used, in µs.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e3
}
