package page

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"idp/store"
)

// Experiences reads the sign-in experience.
type Experiences interface {
	// Experience may be some seconds old, and its lists are shared.
	Experience(ctx context.Context) (store.Experience, error)
	// PictureAt is the hash of the picture that is kept of an address, "" if none is.
	PictureAt(ctx context.Context, url string) (hash string, err error)
	// Picture reads a picture that is kept. The error is store.NotFound.
	Picture(ctx context.Context, hash string) (store.Picture, error)
}

// Look is what a page has of the operator's, or of an app's.
type Look struct {
	Theme                string // address of the style sheet, "" for none
	Logo, DarkLogo       string
	Favicon, DarkFavicon string
	Light                bool          // also where the browser prefers dark pages
	Style                template.HTML // of a preview: all of its style

	images string // where they are from, as sources of a Content-Security-Policy
	theme  theme
}

// Looks makes the look of pages, once for each version of the experience and of an app.
// Its methods are safe for concurrent use.
type Looks struct {
	source Experiences
	last   atomic.Pointer[store.Experience]
	mu     sync.RWMutex
	known  map[lookKey]*Look
}

type lookKey struct {
	experience time.Time
	client     string
	changed    time.Time
}

// maxLooks bounds their memory; a hundred apps with a look of their own are many.
const maxLooks = 500

// maxWait is how long a page waits for the database to tell its look.
const maxWait = time.Second

// NewLooks makes looks of the experiences that source has.
func NewLooks(source Experiences) *Looks {
	l := &Looks{source: source, known: map[lookKey]*Look{}}
	e := store.DefaultExperience()
	l.last.Store(&e)
	return l
}

// Experience reads the experience. With an error it is the last one that was read, which
// is good enough to look at, and for nothing else.
func (l *Looks) Experience(ctx context.Context) (store.Experience, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	e, err := l.source.Experience(ctx)
	if err != nil {
		return *l.last.Load(), &store.Error{Code: store.Unavailable, Op: "read experience", Err: err}
	}
	if last := l.last.Load(); !last.UpdatedAt.Equal(e.UpdatedAt) {
		newer := e // so that e, of each call, is not on the heap
		l.last.Store(&newer)
	}
	return e, nil
}

// Of is the look of an app's pages; the zero client stands for our own. The same pointer
// stands for the same versions of both, so all that follows from them is known by it.
func (l *Looks) Of(e store.Experience, c store.Client) *Look {
	return l.of(lookKey{e.UpdatedAt, c.ID, c.UpdatedAt}, e.For(c.Experience))
}

// Operators stands for an app in the address of the style sheet of the pages that lead into
// the console. It is no app's id.
const Operators = "-console"

// OfOperators is the look of the pages that lead into the console: colours and pictures, without
// the custom CSS. That could hide the form from all who can mend it.
func (l *Looks) OfOperators(e store.Experience) *Look {
	e.CustomCSS = ""
	return l.of(lookKey{e.UpdatedAt, Operators, time.Time{}}, e)
}

func (l *Looks) of(key lookKey, e store.Experience) *Look {
	l.mu.RLock()
	look := l.known[key]
	l.mu.RUnlock()
	if look != nil {
		return look
	}
	shown, err := l.kept(e)
	look = newLook(shown, key.client)
	if err != nil {
		return look
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.known[key]; other != nil {
		return other
	}
	if len(l.known) >= maxLooks { // versions that are gone, most of them
		clear(l.known)
	}
	l.known[key] = look
	return look
}

// kept gives an experience the addresses where we serve its pictures. Those that were never
// fetched (they are on this machine, or older than pictures are kept) stay where they are.
func (l *Looks) kept(e store.Experience) (store.Experience, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxWait)
	defer cancel()
	for _, url := range []*string{&e.Branding.LogoURL, &e.Branding.DarkLogoURL, &e.Branding.Favicon, &e.Branding.DarkFavicon} {
		if *url == "" {
			continue
		}
		hash, err := l.source.PictureAt(ctx, *url)
		if err != nil {
			return e, err
		}
		if hash != "" {
			*url = store.PicturesPath + hash
		}
	}
	return e, nil
}

// ServePicture sends a picture that is kept. It is one at most: a document in it has no
// scripts, no styles but its own, and nothing to load.
func (l *Looks) ServePicture(w http.ResponseWriter, r *http.Request, hash string) error {
	if !isHash(hash) {
		return &store.Error{Code: store.NotFound, Op: "read picture"}
	}
	p, err := l.source.Picture(r.Context(), hash)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", p.Type)
	h.Set("Content-Length", strconv.Itoa(len(p.Data)))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(p.Data) // the visitor may be gone
	return nil
}

// isHash tells whether a text is a SHA-256 as pictures are named.
func isHash(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

func newLook(e store.Experience, client string) *Look {
	look := &Look{Logo: e.Branding.LogoURL, Favicon: e.Branding.Favicon, Light: !e.Color.Dark, theme: newTheme(e)}
	if e.Color.Dark {
		look.DarkLogo, look.DarkFavicon = e.Branding.DarkLogoURL, e.Branding.DarkFavicon
	}
	if look.Logo == "" {
		look.Logo, look.DarkLogo = look.DarkLogo, ""
	}
	if look.Favicon == "" {
		look.Favicon, look.DarkFavicon = look.DarkFavicon, ""
	}
	seen := map[string]bool{}
	for _, image := range []string{look.Logo, look.DarkLogo, look.Favicon, look.DarkFavicon} {
		u, err := url.Parse(image)
		if err != nil || u.Host == "" {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !seen[origin] {
			seen[origin] = true
			look.images += " " + origin
		}
	}
	if look.theme.css != "" {
		look.Theme = ThemePath + "?v=" + look.theme.version
		if client != "" {
			look.Theme += "&app=" + url.QueryEscape(client)
		}
	}
	return look
}
