package page

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"idp/store"
)

// Policy is what differs in the Content-Security-Policy of pages.
type Policy struct {
	FormAction string // see [FormAction]; "" means 'self'
	Frames     bool   // it shows frames of our own
	Look       *Look  // whose pictures it shows
	Guest      string // origin whose script and frame it shows besides, "" for none
}

// Protect sets the security headers of a page. https says that the endpoint is.
func Protect(w http.ResponseWriter, p Policy, https bool) {
	images := "'self'"
	if p.Look != nil {
		images += p.Look.images
	}
	scripts, frames := "'self'", ""
	if p.Frames {
		frames = " 'self'"
	}
	if p.Guest != "" {
		scripts += " " + p.Guest
		frames += " " + p.Guest
	}
	csp := "default-src 'none'; style-src 'self'; script-src " + scripts + "; img-src " + images + "; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
	switch p.FormAction {
	case "":
		csp += "; form-action 'self'"
	case anyTarget:
	default:
		csp += "; form-action " + p.FormAction
	}
	if frames != "" {
		csp += "; frame-src" + frames
	}
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that know no frame-ancestors
	h.Set("Cache-Control", "no-store")
	if https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// anyTarget leaves form-action out: CSP cannot name the target.
const anyTarget = "*"

// FormAction is the form-action for the pages of a pending request that ends at
// redirectURI. Chromium holds every hop after a form's answer against it, also
// those that the app adds after we sent the browser back, so all of https is in.
func FormAction(redirectURI string) string {
	const web = "'self' https: http://localhost:* http://127.0.0.1:*"
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme == "" {
		return web
	}
	switch u.Scheme {
	case "https":
		return web
	case "http":
		host := u.Hostname()
		_, err := netip.ParseAddr(host)
		switch {
		case host == "localhost" || host == "127.0.0.1" || !store.IsLoopback(host):
			return web
		case err == nil: // [::1], 127.0.0.2: a CSP source cannot be an IP address but 127.0.0.1
			return anyTarget
		}
		return web + " http://" + strings.ToLower(host) + ":*"
	}
	return "'self' https: " + u.Scheme + ":" // a native app's own; url.Parse allows letters, digits, + - . only
}
