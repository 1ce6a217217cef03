package attack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"idp/e2e/rig"
)

// raw sends what no browser sends: any method, body and headers, Host among them. Whatever
// it is, the answer is none of a server that failed.
func (b *browser) raw(method, target, body string, header ...string) answer {
	b.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.at.endpoint + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.network != "" {
		req.Header.Set("X-Forwarded-For", b.network)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header[http.CanonicalHeaderKey(header[i])] = []string{header[i+1]}
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Error(err)
	}
	a := answer{status: resp.StatusCode, to: resp.Header.Get("Location"), header: resp.Header, body: string(text)}
	if a.status >= 500 {
		b.t.Errorf("%s %.100s %.100q %.200q answered %s: nothing that a stranger sends may do that", method, target, body, header, a)
	}
	return a
}

const formType = "application/x-www-form-urlencoded"

// post sends a form as raw does.
func (b *browser) post(path string, fields url.Values, header ...string) answer {
	b.t.Helper()
	return b.raw(http.MethodPost, path, fields.Encode(), append([]string{"Content-Type", formType}, header...)...)
}

// forms are all forms of a page that post.
func (a answer) forms(t *testing.T) (all []form) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || !strings.EqualFold(attr(n, "method"), "post") {
			continue
		}
		f := form{attr(n, "action"), url.Values{}}
		for c := range n.Descendants() {
			name := attr(c, "name")
			switch {
			case name == "":
			case c.Data == "textarea" && c.FirstChild != nil:
				f.fields.Set(name, c.FirstChild.Data)
			case c.Data == "textarea":
				f.fields.Set(name, "")
			case c.Data == "input" && attr(c, "type") != "submit" && attr(c, "type") != "checkbox" && attr(c, "type") != "radio":
				f.fields.Add(name, attr(c, "value"))
			}
		}
		all = append(all, f)
	}
	return all
}

// links are where the links of a page lead on this site.
func (a answer) links(t *testing.T) (all []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if href := attr(n, "href"); n.Data == "a" && strings.HasPrefix(href, "/") {
			all = append(all, href)
		}
	}
	return all
}

// plant puts a cookie into a browser, as another site under the same domain could.
func (b *browser) plant(name, value string) {
	b.http.Jar.SetCookies(rig.Must(url.Parse(b.at.endpoint)), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// cookie is what a browser holds.
func (b *browser) cookie(name string) string {
	for _, c := range b.http.Jar.Cookies(rig.Must(url.Parse(b.at.endpoint))) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// twin is another browser with the same cookies.
func (b *browser) twin() *browser {
	other := b.at.browser()
	for _, c := range b.http.Jar.Cookies(rig.Must(url.Parse(b.at.endpoint))) {
		other.plant(c.Name, c.Value)
	}
	return other
}

// with is another browser that has one of its cookies.
func (b *browser) with(name string) *browser {
	other := b.at.browser()
	other.plant(name, b.cookie(name))
	return other
}

// isIn tells whether a browser is signed in to the account page as somebody.
func (b *browser) isIn(email string) bool {
	b.t.Helper()
	a := b.send("/account", nil)
	return a.status == http.StatusOK && strings.Contains(a.text(), email)
}

// operator comes with a browser that is signed in to the console.
func (at *target) operator(email, role string) *browser {
	at.t.Helper()
	at.replicas[0].Run("admin", "add", email, "--role", role)
	b := at.browser()
	f := b.send("/console", nil).form(at.t, "/sign-in")
	p := page{browser: b, email: email, sent: len(at.mails.To(email))}
	a := b.send(f.action, f.with("email", email))
	if a.status != http.StatusSeeOther {
		at.t.Fatalf("no code for the console: %s", a)
	}
	p.verify = b.send(a.to, nil).form(at.t, "/verify")
	if a = p.guess(p.code(1)); a.status != http.StatusSeeOther || !strings.HasSuffix(a.to, "/console") {
		at.t.Fatalf("not let into the console: %s", a)
	}
	if a = b.send("/console", nil); a.status != http.StatusOK {
		at.t.Fatalf("not in the console: %s", a)
	}
	return b
}

// api calls the management API.
func (b *browser) api(token, method, path string, body any) (answer, map[string]any) {
	b.t.Helper()
	text := ""
	if body != nil {
		text = string(rig.Must(json.Marshal(body)))
	}
	a := b.raw(method, "/api"+path, text, "Authorization", "Bearer "+token, "Content-Type", "application/json")
	var read map[string]any
	_ = json.NewDecoder(bytes.NewReader([]byte(a.body))).Decode(&read) // lists are read by who asks for them
	return a, read
}

// made is api for what has to work.
func (b *browser) made(token, method, path string, body any) map[string]any {
	b.t.Helper()
	a, read := b.api(token, method, path, body)
	if a.status >= 300 {
		b.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return read
}
