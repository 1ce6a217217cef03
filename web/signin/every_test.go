package signin_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"idp/otp"
)

var asset = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)

func TestEveryPage(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		f := setup(t, shortWaits)
		p := f.person()
		weights := map[string]int{}
		for name, body := range everyPage(f, lang) {
			for what, ok := range map[string]bool{
				"language":       strings.Contains(body, `<html lang="`+lang+`"`),
				"one heading":    strings.Count(body, "<h1>") == 1,
				"a title":        !strings.Contains(body, "<title></title>"),
				"only known":     !strings.Contains(body, "ZgotmplZ") && !strings.Contains(body, "{{"),
				"no third party": !regexp.MustCompile(`(src|<link[^>]*href|action)="https?:`).MatchString(body),
				"nothing inline": !regexp.MustCompile(`<style|<script>| style=| on[a-z]+=`).MatchString(body),
				"other language": strings.Contains(body, "lang="+map[string]string{"en": "ja", "ja": "en"}[lang]),
			} {
				if !ok {
					t.Errorf("%s in %s lacks: %s\n%s", name, lang, what, body)
				}
			}
			weight := compressed(body)
			for _, m := range asset.FindAllStringSubmatch(body, -1) {
				if weights[m[1]] == 0 {
					s := p.do(http.MethodGet, m[1], nil).want(200)
					weights[m[1]] = compressed(s.body)
				}
				weight += weights[m[1]]
			}
			if weight > 30_000 {
				t.Errorf("%s in %s weighs %d bytes", name, lang, weight)
			}
			if name == "address" || name == "code" {
				t.Logf("%s in %s: %d bytes of HTML, %d compressed with all it needs", name, lang, len(body), weight)
			}
		}
	}
}

func shortWaits(c *otp.Config) { c.ResendWaits = []time.Duration{47 * time.Second} }

func compressed(text string) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Len()
}
