// Package browser keeps what a browser carries for us in cookies: the long-lived
// secret that requests and challenges are bound to, the session, and the language
// its person chose.
//
// On https the names have the __Host- prefix, so that no other host and no plain
// connection can set them (RFC 6265bis section 4.1.3.2). Browsers take neither
// that prefix nor Secure on http, so on a loopback endpoint the names are plain.
package browser

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"idp/store"
)

// keep is as long as browsers let a cookie live (RFC 6265bis section 5.5).
const keep = 400 * 24 * time.Hour

const (
	secretName   = "idp_browser"
	sessionName  = "idp_session"
	consoleName  = "idp_console"
	languageName = "idp_lang"
)

// Cookies reads and sets the cookies.
type Cookies struct{ secure bool }

// New makes the cookies of an endpoint; secure tells whether it is https.
func New(secure bool) *Cookies { return &Cookies{secure} }

// Hash is the hash of the browser's secret; false if it brought none.
func (c *Cookies) Hash(r *http.Request) (store.Hash, bool) { return c.secret(r, secretName) }

// Session is the hash of the browser's session secret; false if it brought none.
// Whether the session lives is for the store to say.
func (c *Cookies) Session(r *http.Request) (store.Hash, bool) { return c.secret(r, sessionName) }

// Ensure is [Cookies.Hash], and gives the browser a secret if it has none.
func (c *Cookies) Ensure(w http.ResponseWriter, r *http.Request) store.Hash {
	if h, ok := c.Hash(r); ok {
		return h
	}
	var secret [32]byte
	rand.Read(secret[:])
	c.set(w, secretName, base64.RawURLEncoding.EncodeToString(secret[:]), int(keep/time.Second))
	return store.HashOf(secret[:])
}

// SetSession hands a session to the browser; it ends there with the browser, if
// not before.
func (c *Cookies) SetSession(w http.ResponseWriter, secret string) { c.set(w, sessionName, secret, 0) }

// ClearSession takes the session away.
func (c *Cookies) ClearSession(w http.ResponseWriter) { c.set(w, sessionName, "", -1) }

// Console is the hash of the secret of the browser's session in the console; false if it
// brought none.
func (c *Cookies) Console(r *http.Request) (store.Hash, bool) { return c.secret(r, consoleName) }

// SetConsole hands a session of the console to the browser.
func (c *Cookies) SetConsole(w http.ResponseWriter, secret string) { c.set(w, consoleName, secret, 0) }

// ClearConsole takes it away.
func (c *Cookies) ClearConsole(w http.ResponseWriter) { c.set(w, consoleName, "", -1) }

// Language is the language that the person chose in this browser, or "".
func (c *Cookies) Language(r *http.Request) string {
	cookie, err := r.Cookie(c.name(languageName))
	if err != nil || len(cookie.Value) > 35 { // the longest tag RFC 5646 section 4.4.1 asks for
		return ""
	}
	return cookie.Value
}

// SetLanguage remembers it.
func (c *Cookies) SetLanguage(w http.ResponseWriter, tag string) {
	c.set(w, languageName, tag, int(keep/time.Second))
}

func (c *Cookies) name(name string) string {
	if c.secure {
		return "__Host-" + name
	}
	return name
}

func (c *Cookies) set(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: c.name(name), Value: value, MaxAge: maxAge,
		Path: "/", HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}

// secret reads a cookie that holds 256 random bits.
func (c *Cookies) secret(r *http.Request, name string) (store.Hash, bool) {
	cookie, err := r.Cookie(c.name(name))
	if err != nil {
		return store.Hash{}, false
	}
	b, err := store.DecodeBase64URL(cookie.Value)
	if err != nil || len(b) != 32 {
		return store.Hash{}, false
	}
	return store.HashOf(b), true
}
