package doctor_test

import (
	"strings"
	"testing"

	"idp/doctor"
	"idp/doctor/dnstest"
	"idp/mailer"
)

type zone = dnstest.Zone

// nobody is an address that nothing listens at, and that the system gives to no test.
const nobody = "127.0.0.1:1"

// serveDNS gives a resolver that asks a server of a zone.
func serveDNS(t *testing.T, z zone) doctor.Resolver {
	t.Helper()
	s, err := dnstest.Start(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return doctor.NewResolver(s.Address())
}

// tells runs a check and gives what it told of one thing, all of it if that is "".
func tells(check string, run func(doctor.Tell)) (out []mailer.Finding) {
	run(func(f mailer.Finding) {
		if check == "" || f.Check == check {
			out = append(out, f)
		}
	})
	return out
}

// is compares one finding: its level, and a part of its text or fix.
func is(t *testing.T, got []mailer.Finding, level mailer.Level, part string) {
	t.Helper()
	if len(got) != 1 || got[0].Level != level || !strings.Contains(got[0].Text+"\n"+got[0].Fix, part) {
		t.Errorf("found %+v, want %s and %q", got, level, part)
	}
}
