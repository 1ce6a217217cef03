package doctor_test

import (
	"fmt"
	"strings"
	"testing"

	"idp/doctor"
	"idp/doctor/dnstest"
	"idp/mailer"
)

const domain = "example.com"

// look checks a domain of SES in a zone, and gives what was told of one thing.
func look(t *testing.T, check string, z zone, change ...func(*doctor.Domain)) []mailer.Finding {
	t.Helper()
	d := doctor.Domain{Name: domain, Include: "amazonses.com", DNS: serveDNS(t, z)}
	for _, c := range change {
		c(&d)
	}
	return tells(check, func(tell doctor.Tell) { d.Check(t.Context(), tell) })
}

func TestSPF(t *testing.T) {
	t.Parallel()
	chain := zone{}
	for i := range 11 {
		chain[fmt.Sprintf("TXT n%d.example.net", i)] = []string{fmt.Sprintf("v=spf1 include:n%d.example.net ~all", i+1)}
	}
	chain["TXT n11.example.net"] = []string{"v=spf1 -all"}
	for name, c := range map[string]struct {
		records []string
		more    zone
		level   mailer.Level
		part    string
	}{
		"none":         {nil, nil, mailer.Warning, `example.com.  TXT  "v=spf1 include:amazonses.com ~all"`},
		"other text":   {[]string{"google-site-verification=x", "v=spf10 nonsense"}, nil, mailer.Warning, "has no SPF record"},
		"right":        {[]string{"v=spf1 include:amazonses.com ~all"}, nil, mailer.OK, "1 of 10 lookups"},
		"any case":     {[]string{"V=SPF1 Include:AmazonSES.com -ALL"}, nil, mailer.OK, "one record"},
		"two":          {[]string{"v=spf1 mx ~all", "v=spf1 include:amazonses.com -all"}, nil, mailer.Failure, `"v=spf1 mx include:amazonses.com -all"`},
		"not included": {[]string{"v=spf1 mx -all"}, nil, mailer.Warning, `"v=spf1 mx include:amazonses.com -all"`},
		"plus all":     {[]string{"v=spf1 include:amazonses.com +all"}, nil, mailer.Failure, "everybody may send"},
		"bare all":     {[]string{"v=spf1 include:amazonses.com all"}, nil, mailer.Failure, `"v=spf1 include:amazonses.com ~all"`},
		"no end":       {[]string{"v=spf1 include:amazonses.com"}, nil, mailer.Warning, "has no end"},
		"nested": {[]string{"v=spf1 include:_spf.example.net ~all"},
			zone{"TXT _spf.example.net": {"v=spf1 include:amazonses.com ~all"}}, mailer.OK, "2 of 10"},
		"redirect": {[]string{"v=spf1 redirect=_spf.example.net"},
			zone{"TXT _spf.example.net": {"v=spf1 include:amazonses.com a mx/24 ip4:192.0.2.0/24 ~all"}}, mailer.OK, "4 of 10"},
		"too many":      {[]string{"v=spf1 include:amazonses.com include:n0.example.net ~all"}, chain, mailer.Failure, "at least 13 lookups, and receivers stop at 10"},
		"loop":          {[]string{"v=spf1 include:example.com ~all"}, nil, mailer.Failure, "receivers stop at 10"},
		"broken":        {[]string{"v=spf1 include:gone.example.net ~all"}, nil, mailer.Failure, "include:gone.example.net"},
		"macro":         {[]string{"v=spf1 include:%{i}.example.net include:amazonses.com ~all"}, nil, mailer.OK, "2 of 10"},
		"cannot be had": {[]string{"v=spf1 include:down.example.net ~all"}, zone{"TXT down.example.net": {dnstest.Fails}}, mailer.Warning, "could not be asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone{"A example.com": {"192.0.2.1"}, "TXT example.com": c.records, "TXT amazonses.com": {"v=spf1 ip4:199.255.192.0/22 -all"}}
			for k, v := range c.more {
				z[k] = v
			}
			is(t, look(t, "SPF", z), c.level, c.part)
		})
	}
	own := func(host string) func(*doctor.Domain) {
		return func(d *doctor.Domain) { d.Include, d.Host = "", host }
	}
	z := zone{"A example.com": {"192.0.2.1"}}
	is(t, look(t, "SPF", z, own("mail.example.com")), mailer.Warning, `"v=spf1 a:mail.example.com ~all"`)
	is(t, look(t, "SPF", z, own("smtp.example.net")), mailer.Warning, "what your mail provider names")
}

func TestDKIM(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("MIIBIjANBgkq", 30) // longer than one string of a TXT record
	cname := mailer.Record{Purpose: mailer.PurposeDKIM, Type: "CNAME", Name: "abc._domainkey.example.com", Value: "abc.dkim.amazonses.com"}
	own := mailer.Record{Purpose: mailer.PurposeDKIM, Type: "TXT", Name: "s1._domainkey.example.com", Value: "v=DKIM1; k=rsa; p=" + key}
	for name, c := range map[string]struct {
		want     []mailer.Record
		selector string
		more     zone
		level    mailer.Level
		part     string
	}{
		"not known": {nil, "", nil, mailer.Warning, "--dkim-selector"},
		"easy": {[]mailer.Record{cname}, "", zone{"CNAME abc._domainkey.example.com": {"abc.dkim.amazonses.com"}, "TXT abc.dkim.amazonses.com": {"p=" + key}},
			mailer.OK, "publishes the key"},
		"easy, missing": {[]mailer.Record{cname}, "", nil, mailer.Failure, "abc._domainkey.example.com.  CNAME  abc.dkim.amazonses.com"},
		"own":           {[]mailer.Record{own}, "", zone{"TXT s1._domainkey.example.com": {"v=DKIM1; k=rsa; p=" + key[:40] + " " + key[40:]}}, mailer.OK, "publishes the key"},
		"own, missing":  {[]mailer.Record{own}, "", nil, mailer.Failure, `s1._domainkey.example.com.  TXT  "v=DKIM1; k=rsa; p=MIIB`},
		"another key":   {[]mailer.Record{own}, "", zone{"TXT s1._domainkey.example.com": {"v=DKIM1; p=AAAA"}}, mailer.Failure, "another key"},
		"taken back":    {[]mailer.Record{own}, "", zone{"TXT s1._domainkey.example.com": {"v=DKIM1; p="}}, mailer.Failure, "was taken back"},
		"no key":        {[]mailer.Record{own}, "", zone{"TXT s1._domainkey.example.com": {"hello"}}, mailer.Failure, "publishes no key"},
		"named":         {nil, "k2", zone{"TXT k2._domainkey.example.com": {"v=DKIM1; p=AAAA"}}, mailer.OK, "k2._domainkey.example.com"},
		"named wrongly": {nil, "k3", nil, mailer.Failure, "k3._domainkey.example.com publishes no key"},
		"cannot be had": {[]mailer.Record{own}, "", zone{"TXT s1._domainkey.example.com": {dnstest.Fails}}, mailer.Warning, "could not be asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone{"A example.com": {"192.0.2.1"}}
			for k, v := range c.more {
				z[k] = v
			}
			is(t, look(t, mailer.PurposeDKIM, z, func(d *doctor.Domain) { d.Records, d.Selector = c.want, c.selector }), c.level, c.part)
		})
	}
}

func TestMailFromDomain(t *testing.T) {
	t.Parallel()
	want := []mailer.Record{
		{Purpose: mailer.PurposeMailFrom, Type: "MX", Name: "bounce.example.com", Value: "10 feedback-smtp.eu-central-1.amazonses.com"},
		{Purpose: mailer.PurposeMailFrom, Type: "TXT", Name: "bounce.example.com", Value: "v=spf1 include:amazonses.com ~all"},
	}
	z := zone{"A example.com": {"192.0.2.1"}}
	with := func(d *doctor.Domain) { d.Records = want }
	got := look(t, mailer.PurposeMailFrom, z, with)
	if len(got) != 2 || got[0].Level != mailer.Failure || !strings.Contains(got[0].Fix, "bounce.example.com.  MX  10 feedback-smtp") || got[1].Level != mailer.Failure {
		t.Errorf("%+v", got)
	}
	z = zone{"A example.com": {"192.0.2.1"}, "MX bounce.example.com": {"10 feedback-smtp.eu-central-1.amazonses.com."},
		"TXT bounce.example.com": {"v=spf1 include:amazonses.com ~all"}}
	if got = look(t, mailer.PurposeMailFrom, z, with); len(got) != 2 || got[0].Level != mailer.OK || got[1].Level != mailer.OK {
		t.Errorf("%+v", got)
	}
}

func TestDMARC(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		domain string
		more   zone
		level  mailer.Level
		part   string
	}{
		"none":          {domain, nil, mailer.Warning, `_dmarc.example.com.  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"`},
		"watches":       {domain, zone{"TXT _dmarc.example.com": {"v=DMARC1; p=none"}}, mailer.OK, "only watches"},
		"rejects":       {domain, zone{"TXT _dmarc.example.com": {"v=DMARC1;p=reject; adkim=s"}}, mailer.OK, "of example.com exactly (adkim=s)"},
		"two":           {domain, zone{"TXT _dmarc.example.com": {"v=DMARC1; p=none", "v=DMARC1; p=reject"}}, mailer.Failure, "has 2 DMARC records"},
		"no policy":     {domain, zone{"TXT _dmarc.example.com": {"v=DMARC1; rua=mailto:a@example.com"}}, mailer.Failure, "no policy"},
		"other text":    {domain, zone{"TXT _dmarc.example.com": {"hello", "p=reject; v=DMARC1"}}, mailer.Warning, "has no DMARC record"},
		"parent's":      {"mail.shop.example.co.uk", zone{"TXT _dmarc.example.co.uk": {"v=DMARC1; p=reject; sp=quarantine"}}, mailer.OK, "to quarantine"},
		"not so far up": {"mail.example.co.uk", zone{"TXT _dmarc.co.uk": {"v=DMARC1; p=reject"}}, mailer.Warning, "has no DMARC record"},
		"cannot be had": {domain, zone{"TXT _dmarc.example.com": {dnstest.Fails}}, mailer.Warning, "could not be asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone{"A " + c.domain: {"192.0.2.1"}}
			for k, v := range c.more {
				z[k] = v
			}
			is(t, look(t, "DMARC", z, func(d *doctor.Domain) { d.Name = c.domain }), c.level, c.part)
		})
	}
}

func TestMX(t *testing.T) {
	t.Parallel()
	is(t, look(t, "MX", zone{"MX example.com": {"10 mx.example.net."}}), mailer.OK, "at mx.example.net")
	is(t, look(t, "MX", zone{"MX example.com": {"0 ."}}), mailer.Failure, "takes no mail")
	is(t, look(t, "MX", zone{"A example.com": {"192.0.2.1"}}), mailer.Warning, "its address 192.0.2.1")
	is(t, look(t, "MX", zone{"TXT example.com": {"hello"}}), mailer.Warning, "no MX and no address")
	is(t, look(t, "", zone{}), mailer.Warning, "no text, no MX and no address")
}

// A provider that could not be asked for its records is told of once.
func TestRecordsUnasked(t *testing.T) {
	t.Parallel()
	if got := look(t, mailer.PurposeDKIM, zone{"A example.com": {"192.0.2.1"}}, func(d *doctor.Domain) { d.Unasked = true }); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Without a DNS server nothing is said of the domain, and nobody waits for each record.
func TestNoDNS(t *testing.T) {
	t.Parallel()
	got := look(t, "", zone{}, func(d *doctor.Domain) { d.DNS = doctor.NewResolver(nobody) })
	is(t, got, mailer.Warning, "could not be asked for")
}
