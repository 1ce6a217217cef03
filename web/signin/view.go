package signin

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"idp/store"
	"idp/web/page"
	"idp/web/serve"
)

// view is what the templates show. A page uses some of it.
type view struct {
	page.Frame
	R, C string

	// A form's field: what was typed, and what is wrong with it.
	Typed, Error  string
	Tries, Digits int
	Wait          string // how long nothing can be had, in words
	Long          bool   // the newest code has letters, and nobody types it willingly

	Register  bool   // the challenge or form is for a new account
	Recover   bool   // or for one that somebody else may be in
	Console   bool   // or for an operator
	Action    string // where an address is posted to
	Restarted bool
	Again     string // the app's own request, for a browser that blocks cookies

	Terms   *terms // nil: there are none
	Agreed  bool   // to them, for the next challenge
	Support *support

	Email   string // as people write it
	Other   string // address page: sign in instead of register, or the reverse
	Rescue  string // and recover instead
	Hint    string // account chooser: the address that the app named, "" if it is Email
	Hinted  string // and where to sign in with it
	T       string // account chooser: token of the form, bound to the session
	Change  string
	Status  string
	Mail    string // what became of the mail; see mailWords
	Mailbox *mailbox
	Clock   template.HTML // wait for another code, as m:ss or h:mm:ss that a script can count down

	Suggested string // a likely address, for a typo
	More      bool   // another code can be asked for
	Resend    string // what is wrong with asking: "limited", "limited_long", "full"
	Sends     int

	Restart, Return, Detail, Reference string

	Groups []string // of a link's code, in another browser than the one that waits for it

	// The pages about a mail that somebody did not ask for.
	Link                   string // t of the link
	Asked, Until           time.Time
	Browser, System, Place string // of who asked
	SignedOut              bool
	Stale                  bool // the form was of another browser: nothing was done

	Puzzle *store.Puzzle // what has to be shown for a code
	Person Person        // by whom it is told, for the page that asks it

	Retry    bool
	Mismatch *page.Mismatch
}

// view starts a page's view.
func (p *Pages) view(v *visit) *view {
	return &view{Frame: page.Of(v.client.Name, v.look), Support: v.support(), R: v.sealed, Digits: p.Digits, Mail: "queued", Restart: v.restart()}
}

// TickMissing tells that the person has to agree first: that has the focus then.
func (v *view) TickMissing() bool { return v.Terms != nil && v.Terms.Missing }

// render shows a page. here is its own address, for the change of language.
func (p *Pages) render(v *visit, status int, name, here string, data *view) error {
	p.addLanguages(v, here, data)
	return p.templates.Render(v.w, status, v.lang, name, data)
}

func (p *Pages) addLanguages(v *visit, here string, data *view) {
	data.Languages = page.Languages(p.languages, v.lang, here)
}

// seconds rounds a wait up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// clock gives a wait as seconds and as m:ss, from an hour on as h:mm:ss; both are "" when it is over.
func clock(d time.Duration) (count, written string) {
	s := seconds(d)
	if s <= 0 {
		return "", ""
	}
	if s >= 3600 {
		return strconv.Itoa(s), fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return strconv.Itoa(s), fmt.Sprintf("%d:%02d", s/60, s%60)
}

// clockHTML is a wait that a script can count down.
func clockHTML(count, written string) template.HTML {
	if count == "" {
		return ""
	}
	return template.HTML(`<span data-seconds="` + count + `">` + written + `</span>`) //nolint:gosec // numbers, or marks
}

// reference is what a visitor can tell support.
func reference(r *http.Request) string { return serve.RequestID(r.Context()) }

// serves says what the page's code is for.
func (v *view) serves(p store.Purpose) {
	v.Register, v.Recover, v.Console = p == store.PurposeRegister, p == store.PurposeRecover, p == store.PurposeConsole
}

// screens are the three address pages: where each is, and what its code is for.
var screens = []struct {
	path    string
	purpose store.Purpose
	screen  store.Screen
}{
	{"/sign-in", store.PurposeSignIn, store.ScreenSignIn},
	{"/register", store.PurposeRegister, store.ScreenRegister},
	{"/recover", store.PurposeRecover, store.ScreenRecover},
}

// purpose is what a form of this visit is for, by its address.
func (v *visit) purpose() store.Purpose {
	if v.request.Console {
		return store.PurposeConsole
	}
	return purposeOf(v.r.URL.Path)
}

// purposeOf tells what a form's address is for.
func purposeOf(path string) store.Purpose {
	for _, s := range screens {
		if s.path == path {
			return s.purpose
		}
	}
	return store.PurposeSignIn
}

// actionOf is the reverse.
func actionOf(p store.Purpose) string {
	for _, s := range screens {
		if s.purpose == p {
			return s.path
		}
	}
	return "/sign-in"
}

// opens tells which address page a request opens with.
func opens(req store.AuthRequest) store.Purpose {
	if req.Console {
		return store.PurposeConsole
	}
	for _, s := range screens {
		if s.screen == req.Screen {
			return s.purpose
		}
	}
	return store.PurposeSignIn
}
