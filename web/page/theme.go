package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"idp/store"
)

// ThemePath is where the operator's style sheet is: v is its version, app the app whose
// it is.
const ThemePath = "/theme.css"

// theme is a style sheet: colours for those of page.css, and what the operator adds.
type theme struct{ css, version string }

func newTheme(e store.Experience) theme {
	var b strings.Builder
	plain := store.DefaultExperience().Color
	if e.Color.Primary != plain.Primary || e.Color.Dark && e.Color.DarkPrimary != plain.DarkPrimary { // one without the other would mix with page.css
		b.WriteString(":root{" + light.tokens(parseColor(e.Color.Primary)) + "}\n")
		if e.Color.Dark {
			b.WriteString("@media (prefers-color-scheme:dark){:root:not(.light){" + dark.tokens(parseColor(e.Color.DarkPrimary)) + "}}\n")
		}
	}
	b.WriteString(e.CustomCSS)
	if b.Len() == 0 {
		return theme{}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return theme{b.String(), hex.EncodeToString(sum[:6])}
}

// ServeTheme sends the style sheet of a look. Its address names its version: browsers ask
// for one that is current once, and for any other again next time.
func (look *Look) ServeTheme(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(look.theme.css)))
	h.Set("Cache-Control", "no-cache")
	if v := r.URL.Query().Get("v"); v != "" && v == look.theme.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write([]byte(look.theme.css)) // the visitor may be gone
}

// rgb is a colour of sRGB, each part from 0 to 1.
type rgb [3]float64

// parseColor reads #rrggbb, as package admin lets it into an experience.
func parseColor(text string) (c rgb) {
	n, _ := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	for i := range c {
		c[i] = float64(n>>(16-8*i)&0xff) / 0xff
	}
	return c
}

func (c rgb) String() string {
	part := func(x float64) int { return int(math.Round(x * 0xff)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// mix goes a part of the way to another colour.
func (c rgb) mix(to rgb, part float64) rgb {
	for i := range c {
		c[i] += (to[i] - c[i]) * part
	}
	return c
}

// luminance and contrast are those of WCAG 2.2.
func (c rgb) luminance() float64 {
	linear := func(x float64) float64 {
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// scheme is what a colour has to be seen on: grounds of page.css.
type scheme struct {
	grounds []rgb // of links
	card    rgb
	away    rgb     // what a colour is mixed with until it stands out
	tint    float64 // how much of it a tinted ground has
}

var (
	white = rgb{1, 1, 1}
	black = rgb{}
	inks  = []rgb{white, parseColor("#10121a")} // on a button
	light = scheme{[]rgb{parseColor("#f4f5f7"), white}, white, black, .08}
	dark  = scheme{[]rgb{parseColor("#0f1117"), parseColor("#171a22")}, parseColor("#171a22"), white, .16}
)

// legible is the least contrast of text (WCAG 2.2 success criterion 1.4.3), with a little
// room for rounding.
const legible = 4.55

// tokens are page.css's names with values made of one colour. A button has that colour,
// under the ink that is read better on it; a link has one of its kind that can be read.
func (s scheme) tokens(c rgb) string {
	tint := s.card.mix(c, s.tint)
	accent := s.standOut(c, append([]rgb{tint}, s.grounds...))
	strong := accent.mix(s.away, .2)
	ink := inks[0]
	if contrast(inks[1], c) > contrast(ink, c) {
		ink = inks[1]
	}
	fill := c
	for step := 0; contrast(ink, fill) < legible && step < 20; step++ { // a few greys are between both inks
		fill = fill.mix(opposite(ink), .04)
	}
	hover := fill.mix(opposite(ink), .16)
	edge := "transparent"
	if contrast(fill, s.card) < 1.5 { // a button that would not be seen
		edge = "var(--edge)"
	}
	return fmt.Sprintf("--accent:%s;--accent-strong:%s;--tint:%s;--fill:%s;--fill-strong:%s;--fill-edge:%s;--on-accent:%s", accent, strong, tint, fill, hover, edge, ink)
}

// opposite is the end of the scale that an ink is read best on.
func opposite(ink rgb) rgb {
	if ink == white {
		return black
	}
	return white
}

// standOut mixes a colour until it can be read on all grounds.
func (s scheme) standOut(c rgb, grounds []rgb) rgb {
	for step := range 25 {
		mixed := c.mix(s.away, float64(step)/25)
		least := math.Inf(1)
		for _, ground := range grounds {
			least = min(least, contrast(mixed, ground))
		}
		if least >= legible {
			return mixed
		}
	}
	return s.away
}

// Contrast is how well the text of a button of a colour (#rgb or #rrggbb) can be read (WCAG
// 2.2), and whether that text is white; it is dark else. It is not ok for what is no colour.
// What is below 4.5 : 1 is mended by the page itself.
func Contrast(color string) (isWhite bool, ratio float64, ok bool) {
	if len(color) == 4 {
		color = "#" + color[1:2] + color[1:2] + color[2:3] + color[2:3] + color[3:] + color[3:]
	}
	if _, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32); err != nil || len(color) != 7 || color[0] != '#' {
		return false, 0, false
	}
	c := parseColor(color)
	onWhite, onDark := contrast(inks[0], c), contrast(inks[1], c)
	return onWhite >= onDark, max(onWhite, onDark), true
}
