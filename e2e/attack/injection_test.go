package attack_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"idp/e2e/rig"
)

// What strangers write into mails and pages is text there, and Host is nobody.
func TestInjection(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		plain := at.browser()
		plain.header = http.Header{"User-Agent": {"Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"}}
		p := plain.ask("control@example.com")
		p.code(1)
		control := at.mails.To("control@example.com")[0]
		like := func(name string, m rig.Posted) {
			t.Helper()
			if got, want := skeleton(t, m.HTML), skeleton(t, control.HTML); !slices.Equal(got, want) {
				t.Errorf("%s changes the mail: %v, want %v", name, got, want)
			}
			for header, text := range map[string]string{"subject": m.Subject, "sender": m.From, "recipient": m.To} {
				if strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("%s: %s %q", name, header, text)
				}
			}
			if strings.Contains(m.Text+m.HTML+m.Subject, "evil.example") {
				t.Errorf("%s words the mail: %s", name, m.Text)
			}
			if !strings.Contains(m.Text, m.Code) || !strings.Contains(m.HTML, m.Code) || !strings.Contains(m.Text, at.endpoint+"/not-me?t=") {
				t.Errorf("%s buries the code or the link: %s", name, m.Text)
			}
		}

		t.Run("headers", func(t *testing.T) {
			for i, value := range []string{
				`"><script src=//evil.example></script>`, `Firefox/140.0 https://evil.example/x`, `Mozilla/5.0 (Windows NT 10.0) <a href="https://evil.example">Chrome/140</a>`,
				"evil.example", "x\tBcc: all@evil.example", strings.Repeat("A", 900), "{{code}} {{ link }}", "\xff\xfe", "=?utf-8?q?=0d=0aBcc:evil.example?=", "\u202eelpmaxe.live",
			} {
				b := at.browser()
				b.header = http.Header{}
				for _, name := range []string{"User-Agent", "Referer", "Accept-Language", "X-Forwarded-Host", "X-Requested-With", "From", "Via"} {
					b.header[name] = []string{value}
				}
				b.header["Sec-Ch-Ua"] = []string{`"evil.example";v="1"`}
				email := "h" + string(rune('a'+i)) + "@example.com"
				q := b.ask(email)
				q.code(1)
				m := at.mails.To(email)[0]
				if !strings.Contains(m.Text, "Firefox") { // a browser that is not named has no line
					m.HTML = control.HTML
					m.HTML = strings.ReplaceAll(m.HTML, control.Code, m.Code)
				}
				like("header "+value[:min(len(value), 40)], m)
				if got := at.mails.To(email)[0]; strings.Contains(got.HTML, "<script") || strings.Contains(got.HTML, "evil") || !strings.Contains(got.HTML, got.Code) {
					t.Errorf("%q is in the mail: %s", value, got.HTML)
				}
			}
		})

		t.Run("addresses", func(t *testing.T) {
			for _, email := range []string{"ada@example.com\r\nBcc: eve@evil.example", "ada@example.com,eve@evil.example", "ada@example.com;eve@evil.example", "<eve@evil.example>", `"ada@example.com" <eve@evil.example>`,
				"eve@evil.example\x00ada@example.com", "ada@example.com%0aBcc:eve@evil.example", "\"a\r\nb\"@example.com", "ada@[evil.example]", "ada@example.com eve@evil.example"} {
				b := at.browser()
				_, f := b.addressForm("sign-in")
				if a := b.send(f.action, f.with("email", email)); a.status/100 != 4 {
					t.Errorf("%q: %s", email, a)
				}
			}
			for _, to := range []string{"eve@evil.example", "ada@example.com"} {
				if n := len(at.mails.To(to)); n != 0 {
					t.Errorf("%d mails to %s", n, to)
				}
			}
		})

		t.Run("names", func(t *testing.T) {
			b, token := at.browser(), at.replicas[0].ManagementToken(at.replicas[0].Machine())
			for i, name := range []string{`"><img src=x onerror=alert(1)>`, "Shop\r\nBcc: all@example.org", "</title></head><body><h1>Owned", "{{code}}{{link}}", "\u202eknab ruoY", "<bdi>", "Shop\u2028\u2029\u0085x", "=?utf-8?q?x?="} {
				a, made := b.api(token, http.MethodPost, "/applications", map[string]any{"name": name, "type": "Traditional", "oidcClientMetadata": map[string]any{"redirectUris": []string{rig.Callback}, "postLogoutRedirectUris": []string{}}})
				if a.status/100 == 4 {
					continue
				}
				c := rig.Client{ID: made["id"].(string), RedirectURIs: []string{rig.Callback}}
				v := at.browser()
				v.header = plain.header
				page := v.send(at.replicas[0].Request(c).Path(), nil)
				if page.status != http.StatusOK || strings.Contains(page.body, "<img src=x") || strings.Contains(page.body, "<h1>Owned") {
					t.Errorf("%q on a page: %s", name, page)
				}
				f := page.form(t, "/sign-in")
				email := "n" + string(rune('a'+i)) + "@example.com"
				q := &browserMail{v, email}
				v.send(f.action, f.with("email", email))
				like("name "+name, q.wait())
			}
		})
	})
}

// browserMail waits for the only mail to an address.
type browserMail struct {
	*browser
	email string
}

func (m *browserMail) wait() rig.Posted {
	m.t.Helper()
	page{browser: m.browser, email: m.email}.code(1)
	return m.at.mails.To(m.email)[0]
}

// skeleton is the elements of a mail with where they lead, less what differs in each.
func skeleton(t *testing.T, page string) (all []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data == "bdi" {
			continue
		}
		text := n.Data
		for _, a := range n.Attr {
			text += " " + a.Key
			if a.Key == "href" || a.Key == "src" {
				where, _, _ := strings.Cut(a.Val, "?")
				text += "=" + where
			}
		}
		all = append(all, text)
	}
	return all
}

// Host and what proxies say about it decide nothing: not the issuer, not where a redirect or
// a link in a mail leads.
func TestHostSpoofing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, at *target) {
		spoofs := [][]string{
			{"Host", "evil.example"}, {"Host", "evil.example:80"}, {"X-Forwarded-Host", "evil.example"}, {"X-Host", "evil.example"}, {"X-Original-Url", "https://evil.example/"}, {"X-Rewrite-Url", "/console"},
			{"Forwarded", "for=1.2.3.4;host=evil.example;proto=https"}, {"X-Forwarded-Server", "evil.example"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Prefix", "//evil.example"}, {"X-Http-Method-Override", "DELETE"},
		}
		r := at.replicas[0].Request(at.app)
		bodies := map[string]string{}
		steady := []string{"/oidc/.well-known/openid-configuration", "/oidc/jwks", "/sign-in", "/account", "/console", "/nothing", "/api/swagger.json", "/oidc/auth?client_id=x", "/readyz"}
		for _, path := range steady {
			bodies[path] = at.browser().send(path, nil).body
		}
		for i, spoof := range spoofs {
			b := at.browser()
			for _, path := range append(steady, r.Path()) {
				a := b.raw(http.MethodGet, path, "", spoof...)
				if strings.Contains(a.body, "evil.example") || strings.Contains(a.to, "evil.example") || strings.Contains(a.header.Get("Link")+a.header.Get("Content-Security-Policy")+strings.Join(a.header["Set-Cookie"], ""), "evil.example") {
					t.Errorf("%v leads %s to %s %.200s", spoof, path, a.to, a.body)
				}
				if path == steady[0] && a.body != bodies[path] {
					t.Errorf("%v changes the discovery to %s", spoof, a.body)
				}
			}
			// A whole way under a false name ends in a mail with our own links.
			email := "s" + string(rune('a'+i)) + "@example.com"
			f := b.raw(http.MethodGet, r.Path(), "", spoof...).form(t, "/sign-in")
			a := b.post(f.action, f.with("email", email), append([]string{"Origin", at.endpoint}, spoof...)...)
			if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/verify?") {
				t.Errorf("%v: %s", spoof, a)
				continue
			}
			m := (&browserMail{b, email}).wait()
			if strings.Contains(m.Text+m.HTML, "evil.example") || !strings.Contains(m.Text, at.endpoint+"/not-me?t=") {
				t.Errorf("%v is in the mail: %s", spoof, m.Text)
			}
		}
		// A request line with a host of its own (RFC 9112 section 3.2.2).
		a := at.wire("GET http://evil.example/oidc/.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
		if !strings.Contains(a, `"issuer":"`+at.endpoint+`/oidc"`) && !strings.HasPrefix(a, "HTTP/1.1 4") || strings.Contains(a, "evil.example") {
			t.Errorf("an absolute request line: %s", a)
		}
		for _, bad := range []string{"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "POST /oidc/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
			"POST /oidc/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\nConnection: close\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n", "GET /oidc/auth\r\nHost: x\r\n\r\n",
			"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
			if a := at.wire(bad); strings.HasPrefix(a, "HTTP/1.1 5") && !strings.HasPrefix(a, "HTTP/1.1 505") || strings.Count(a, "HTTP/1.") > 1 {
				t.Errorf("%q: %s", bad, a)
			}
		}
		if a := at.browser().send("/account", nil); a.status >= 500 {
			t.Error(a)
		}
	})
}
