package idptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// maxPages bounds the way: the address, the code, and a question or two.
const maxPages = 6

// SignIn opens start, which leads to the sign-in pages (an address of your app that does, or the
// whole authorize URL), and fills these in for the person with the address: somebody new gets
// an account. It gives the answer at the end of the redirects, the app's. Who is signed in
// already gets there at once.
//
// The client keeps the cookies; one without a jar gets one. A test of the provider's answer by
// itself gives a client whose CheckRedirect stops before the app, and reads Location.
func SignIn(ctx context.Context, client *http.Client, start, email string) (*http.Response, error) {
	if client.Jar == nil {
		client.Jar, _ = cookiejar.New(nil) // without options there is no error
	}
	var inbox *Inbox
	res, text, err := send(ctx, client, http.MethodGet, start, nil)
	for range maxPages {
		if err != nil {
			return nil, err
		}
		f, is := formOf(text)
		if !is {
			return res, nil
		}
		if why := alertOf(text); why != "" {
			return nil, fmt.Errorf("idptest: sign %s in: %s", email, why)
		}
		to, err := res.Request.URL.Parse(f.action)
		if err != nil {
			return nil, err
		}
		switch f.asks {
		case "email":
			f.values.Set("email", email)
			inbox = NewInbox(to.Scheme + "://" + to.Host)
		case "code":
			if inbox == nil {
				return nil, errors.New("idptest: " + start + " leads to the page for a code: start where the sign-in starts")
			}
			code, err := inbox.Code(ctx, email)
			if err != nil {
				return nil, err
			}
			f.values.Set("code", code)
		}
		res, text, err = send(ctx, client, http.MethodPost, to.String(), f.values)
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("idptest: sign %s in: the pages do not end; the last is %s", email, res.Request.URL)
}

// send gives an answer whose body can be read again.
func send(ctx context.Context, client *http.Client, method, to string, form url.Values) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	res.Body = io.NopCloser(bytes.NewReader(text))
	return res, text, err
}

// form is one of the sign-in pages'.
type form struct {
	action string
	asks   string // email, code, or confirm: whether to make an account
	values url.Values
}

// What is looked for is written by one program, which quotes all values and escapes what is in
// them.
var (
	forms  = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputs = regexp.MustCompile(`<input\b([^>]*)>`)
	attrs  = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	alerts = regexp.MustCompile(`(?s)role="alert"[^>]*>(.*?)</p>`)
	tags   = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)
)

// formOf finds the form that goes on, if the page is one of the sign-in pages: these carry the
// request in r.
func formOf(page []byte) (form, bool) {
	for _, m := range forms.FindAllSubmatch(page, -1) {
		f := form{action: attributes(m[1])["action"], values: url.Values{}}
		for _, in := range inputs.FindAllSubmatch(m[2], -1) {
			a := attributes(in[1])
			f.values.Set(a["name"], a["value"])
			switch {
			case a["name"] == "agree": // to the terms
				f.values.Set("agree", "1")
			case a["name"] == "confirm", a["name"] == "email" && a["type"] == "email", a["name"] == "code" && a["type"] != "hidden":
				f.asks = a["name"]
			}
		}
		if f.asks != "" && f.values.Has("r") {
			return f, true
		}
	}
	return form{}, false
}

func attributes(tag []byte) map[string]string {
	out := map[string]string{}
	for _, m := range attrs.FindAllSubmatch(tag, -1) {
		out[string(m[1])] = html.UnescapeString(string(m[2]))
	}
	return out
}

// alertOf is what the page says went wrong.
func alertOf(page []byte) string {
	m := alerts.FindSubmatch(page)
	if m == nil {
		return ""
	}
	return strings.Join(strings.Fields(html.UnescapeString(string(tags.ReplaceAll(m[1], []byte(" "))))), " ")
}
