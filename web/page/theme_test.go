package page_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"idp/store"
	"idp/web/page"
)

// Whatever colour an operator takes, what is written with it can be read (WCAG 2.2 AA).
func TestEveryColourCanBeRead(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable
	colors := []string{"#000000", "#ffffff", "#ffff00", "#ff0000", "#00ff00", "#0000ff", "#808080", "#777777", "#5d34f2", "#fffffe", "#8a8a8a"}
	for range 300 {
		colors = append(colors, fmt.Sprintf("#%06x", random.IntN(1<<24)))
	}
	for i, color := range colors {
		sheet := themeOf(t, func(e *store.Experience) {
			e.UpdatedAt = time.UnixMicro(int64(i + 1))
			e.Color = store.Color{Primary: color, Dark: true, DarkPrimary: color}
		})
		parts := strings.Split(sheet, "@media")
		if len(parts) != 2 {
			t.Fatal(sheet)
		}
		for scheme, grounds := range map[string][]string{parts[0]: {"#ffffff", "#f4f5f7"}, parts[1]: {"#171a22", "#0f1117"}} {
			for _, pair := range [][2]string{
				{"accent", grounds[0]}, {"accent", grounds[1]}, {"accent", token(scheme, "tint")}, {"accent-strong", grounds[0]},
				{"on-accent", token(scheme, "fill")}, {"on-accent", token(scheme, "fill-strong")},
			} {
				if c := contrast(token(scheme, pair[0]), pair[1]); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f: %s", color, pair[0], pair[1], c, scheme)
				}
			}
			if contrast(token(scheme, "fill"), grounds[0]) < 1.5 && !strings.Contains(scheme, "--fill-edge:var(--edge)") {
				t.Errorf("%s: nobody sees the button", color)
			}
		}
	}
}

// The grounds that colours are made for are those of page.css.
func TestThemeKnowsPageCSS(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("../static/files/page.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"--ground: #f4f5f7;", "--card: #fff;", "--ground: #0f1117;", "--card: #171a22;",
		"--accent: " + store.DefaultExperience().Color.Primary + ";", "--accent: " + store.DefaultExperience().Color.DarkPrimary + ";"} {
		if !strings.Contains(string(css), line) {
			t.Errorf("page.css has no %q", line)
		}
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	e := store.DefaultExperience()
	looks := page.NewLooks(nowhere{})
	plain := looks.Of(e, store.Client{ID: "shop"})
	if plain.Theme != "" || plain.Logo != "" || plain.Light || plain != looks.Of(e, store.Client{ID: "shop"}) {
		t.Errorf("%+v", plain)
	}
	e.UpdatedAt = time.UnixMicro(1)
	e.Branding = store.Branding{LogoURL: "https://cdn.example/l.svg", DarkLogoURL: "https://cdn.example/d.svg", Favicon: "https://icons.example:8443/f.ico"}
	e.CustomCSS = "h1{color:red}"
	look := looks.Of(e, store.Client{ID: "shop"})
	w := httptest.NewRecorder()
	page.Protect(w, page.Policy{Look: look}, true)
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "; img-src 'self' https://cdn.example https://icons.example:8443;") {
		t.Error(csp)
	}
	if !strings.HasPrefix(look.Theme, "/theme.css?v=") || !strings.HasSuffix(look.Theme, "&app=shop") {
		t.Error(look.Theme)
	}
	own := looks.Of(e, store.Client{ID: "own", Experience: store.ClientExperience{LogoURL: "https://own.example/l.svg", PrimaryColor: "#ffaa00"}})
	if own.Logo != "https://own.example/l.svg" || own.DarkLogo != "" || own.Theme == look.Theme {
		t.Errorf("%+v", own)
	}
	for query, cache := range map[string]string{look.Theme: "public, max-age=31536000, immutable", own.Theme: "no-cache", page.ThemePath: "no-cache"} {
		w := httptest.NewRecorder()
		look.ServeTheme(w, httptest.NewRequest("GET", query, nil))
		if w.Header().Get("Cache-Control") != cache || w.Body.String() != e.CustomCSS || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%s: %v %s", query, w.Header(), w.Body)
		}
	}
	e.UpdatedAt, e.Color.Dark = time.UnixMicro(2), false
	if look := looks.Of(e, store.Client{}); !look.Light || look.DarkLogo != "" {
		t.Errorf("%+v", look)
	}
}

func themeOf(t *testing.T, change func(*store.Experience)) string {
	t.Helper()
	e := store.DefaultExperience()
	change(&e)
	w := httptest.NewRecorder()
	page.NewLooks(nowhere{}).Of(e, store.Client{}).ServeTheme(w, httptest.NewRequest("GET", "/theme.css", nil))
	return w.Body.String()
}

func token(sheet, name string) string {
	m := regexp.MustCompile(`--` + name + `:(#[0-9a-f]{6})`).FindStringSubmatch(sheet)
	if m == nil {
		return "#000000"
	}
	return m[1]
}

// contrast is that of WCAG 2.2, computed anew.
func contrast(a, b string) float64 {
	luminance := func(c string) float64 {
		n, _ := strconv.ParseUint(c[1:], 16, 32)
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			x := float64(n>>(16-8*i)&255) / 255
			if x <= 0.04045 {
				x /= 12.92
			} else {
				x = math.Pow((x+0.055)/1.055, 2.4)
			}
			sum += weight * x
		}
		return sum
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

// nowhere is where no experience and no picture is kept.
type nowhere struct{ page.Experiences }

func (nowhere) PictureAt(context.Context, string) (string, error) { return "", nil }
