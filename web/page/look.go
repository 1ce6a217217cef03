package page

import (
	"context"
	"html/template"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"idp/store"
)

// Experiences reads the sign-in experience.
type Experiences interface {
	// Experience may be some seconds old, and its lists are shared.
	Experience(ctx context.Context) (store.Experience, error)
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
		l.last.Store(&e)
	}
	return e, nil
}

// Of is the look of an app's pages; the zero client stands for our own. The same pointer
// stands for the same versions of both, so all that follows from them is known by it.
func (l *Looks) Of(e store.Experience, c store.Client) *Look {
	key := lookKey{e.UpdatedAt, c.ID, c.UpdatedAt}
	l.mu.RLock()
	look := l.known[key]
	l.mu.RUnlock()
	if look != nil {
		return look
	}
	look = newLook(e.For(c.Experience), c.ID)
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
