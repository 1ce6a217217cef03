package page

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"time"

	"idp/store"
	"idp/web/static"
)

// Screen is a page that can be looked at before its settings are saved.
type Screen string

// The screens.
const (
	ScreenSignIn   Screen = "sign-in"
	ScreenRegister Screen = "register"
	ScreenRecover  Screen = "recover"
	ScreenCode     Screen = "code"
	ScreenWrong    Screen = "wrong"   // a code that is not right
	ScreenRefused  Screen = "refused" // an address that may not have an account
	ScreenClosed   Screen = "closed"  // the end for who has no account, and cannot have one
	ScreenAccount  Screen = "account"
)

// Preview is a page as people would see it with an experience that nobody has saved. It does
// nothing: no form of it can be sent, no script runs, no cookie is set.
type Preview struct {
	Experience store.Experience
	Client     store.Client // whose page it is; the zero client stands for no app
	Screen     Screen
	Language   string // its tag
	Dark       bool   // as for a browser that prefers dark pages
	Now        time.Time
}

// PreviewLook is the look of a preview. A style sheet has an address, and what nobody has
// saved has none: so all of the style stands in the page, and [ProtectPreview] allows just
// that by its hash.
func PreviewLook(p Preview, files *static.Files) *Look {
	look := newLook(p.Experience.For(p.Client.Experience), p.Client.ID)
	isDark := p.Dark && !look.Light
	if isDark && look.DarkLogo != "" {
		look.Logo = look.DarkLogo
	}
	look.DarkLogo, look.DarkFavicon, look.Theme, look.Light = "", "", "", !isDark
	look.Style = template.HTML("<style>" + asPreferred(files.Text("page.css")+"\n"+look.theme.css, isDark) + "</style>") //nolint:gosec // cannot end its element: see asPreferred
	return look
}

var (
	preference = regexp.MustCompile(`(?i)\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)`)
	newline    = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n") // as the browser's parser does before it hashes
)

// asPreferred is a style sheet for one colour scheme, whatever this browser prefers. It
// can stand in a <style>: what would end that is written with CSS's own escape.
func asPreferred(css string, dark bool) string {
	css = preference.ReplaceAllStringFunc(css, func(feature string) string {
		if strings.Contains(strings.ToLower(feature), "dark") == dark {
			return "(min-width:0)" // always
		}
		return "(max-width:0)" // never
	})
	return strings.ReplaceAll(newline.Replace(css), "</", `<\/`)
}

// ProtectPreview sets the security headers of a preview: the console shows it in a frame,
// where it can do nothing.
func ProtectPreview(w http.ResponseWriter, look *Look) {
	style := strings.TrimSuffix(strings.TrimPrefix(string(look.Style), "<style>"), "</style>")
	sum := sha256.Sum256([]byte(style))
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; img-src 'self'"+look.images+
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Cache-Control", "no-store")
}
