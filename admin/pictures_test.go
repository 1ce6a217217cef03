package admin_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idp/admin"
	"idp/audit"
	"idp/store"
	"idp/web/webtest"
)

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`

var png, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")

func setLogo(f *webtest.Fixture, url string) error {
	_, err := f.Admin.UpdateExperience(f.Context(), audit.Command(), time.Time{}, func(e *store.Experience) error { e.Branding.LogoURL = url; return nil })
	return err
}

// A picture is fetched when its address is set, and people get it from us.
func TestPicturesAreServedByUs(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	const url = "https://cdn.shop.example/logo.svg"
	f.Web[url] = []byte(svg)
	f.Must(setLogo(f, url))
	page := f.Person().Get("/sign-in").Want(200)
	_, path, _ := strings.Cut(page.Body, `<img src="`)
	path, _, _ = strings.Cut(path, `"`)
	if !strings.HasPrefix(path, "/pictures/") || strings.Contains(page.Body, "cdn.shop") || strings.Contains(page.Header.Get("Content-Security-Policy"), "cdn.shop") {
		t.Fatalf("%s\n%s", path, page.Body)
	}
	got := f.Person().Get(path).Want(200)
	for name, want := range map[string]string{
		"Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q", name, got.Header.Get(name))
		}
	}
	if got.Body != svg {
		t.Error(got.Body)
	}
	if e, err := f.Admin.Experience(t.Context()); err != nil || e.Branding.LogoURL != url {
		t.Error("the address that was given is gone:", e.Branding.LogoURL, err)
	}
	for _, path := range []string{"/pictures/" + strings.Repeat("0", 64), "/pictures/x", "/pictures/../etc"} {
		f.Person().Get(path).Want(404)
	}
	// What stays as it is is not fetched again: a server that is away hinders nobody.
	delete(f.Web, url)
	_, err := f.Admin.UpdateExperience(t.Context(), audit.Command(), time.Time{}, func(e *store.Experience) error { e.HideBranding = true; return nil })
	f.Must(err)
	f.Must(setLogo(f, "http://localhost:1/logo.png")) // somebody tries something out
}

func TestPicturesThatAreNone(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	for name, s := range map[string]struct{ data, reason string }{
		"page":       {"<!doctype html><html></html>", "no PNG"},
		"script":     {`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "no PNG"},
		"handler":    {`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "no PNG"},
		"link":       {`<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"><a x:href=" javascript:alert(1)"/></svg>`, "no PNG"},
		"html-in":    {`<svg xmlns="http://www.w3.org/2000/svg"><foreignObject/></svg>`, "no PNG"},
		"entities":   {`<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg"/>`, "no PNG"},
		"unfinished": {`<svg xmlns="http://www.w3.org/2000/svg">`, "no PNG"},
		"empty":      {"", "no PNG"},
		"large":      {string(png) + strings.Repeat("x", admin.MaxPicture), "larger than 500 kB"},
	} {
		url := "https://cdn.shop.example/" + name
		f.Web[url] = []byte(s.data)
		if err := setLogo(f, url); store.CodeOf(err) != store.Invalid || !strings.Contains(err.Error(), s.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := setLogo(f, "https://gone.shop.example/"); store.CodeOf(err) != store.Invalid || !strings.Contains(err.Error(), "the host is not found") {
		t.Error(err)
	}
	if e, err := f.Admin.Experience(t.Context()); err != nil || e.Branding.LogoURL != "" {
		t.Error(e.Branding.LogoURL, err)
	}
	for kind, data := range map[string][]byte{
		"png": png, "jpg": []byte("\xff\xd8\xff\xe0…"), "gif": []byte("GIF89a…"), "webp": []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "ico": []byte("\x00\x00\x01\x00\x01\x00"),
		"svg": []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a logo -->\n" + svg),
	} {
		f.Web["https://cdn.shop.example/ok."+kind] = data
		if err := setLogo(f, "https://cdn.shop.example/ok."+kind); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// An app's own logo is held to the same.
func TestPicturesOfApps(t *testing.T) {
	t.Parallel()
	f := webtest.New(t)
	c := store.Client{Name: "Shop", Type: store.SPA, IDTokenAlg: "ES256", PKCE: true, RedirectURIs: []string{"https://shop.example/cb"}}
	c.Experience.LogoURL = "https://cdn.shop.example/app.png"
	if _, err := f.Admin.CreateClient(t.Context(), audit.Command(), c, nil); store.CodeOf(err) != store.Invalid {
		t.Error(err)
	}
	f.Web[c.Experience.LogoURL] = png
	c, err := f.Admin.CreateClient(t.Context(), audit.Command(), c, nil)
	f.Must(err)
	if _, err := f.Admin.UpdateClient(t.Context(), audit.Command(), c.ID, time.Time{}, func(c *store.Client) error {
		c.Experience.DarkLogoURL = "https://cdn.shop.example/none.png"
		return nil
	}); store.CodeOf(err) != store.Invalid || !strings.Contains(err.Error(), "branding.darkLogoUrl") {
		t.Error(err)
	}
}

// Nothing but the public web is fetched from, whatever a name or a redirect leads to.
func TestFetcherIsGuarded(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte("x"), 10)) }))
	defer server.Close()
	for _, url := range []string{server.URL, "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://[::1]:1/", "https://localhost:1/"} {
		if data, err := admin.NewFetcher("test").Fetch(t.Context(), url); err == nil || !strings.Contains(err.Error(), "that address") {
			t.Errorf("%s: %q, %v", url, data, err)
		}
	}
}
