package webtest

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"regexp"
	"strings"

	"idp/web/locales"
)

// Languages are the tags of all languages that pages are written in.
func Languages() (tags []string) {
	for _, l := range locales.Load().All() {
		tags = append(tags, l.Tag)
	}
	return tags
}

var (
	asset      = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)
	thirdParty = regexp.MustCompile(`(src|<link[^>]*href|action)="https?:`)
	inline     = regexp.MustCompile(`<style|<script>| style=| on[a-z]+=`)
)

// maxWeight is what a page and all that it needs may weigh, compressed.
const maxWeight = 30_000

// Check holds pages, by name, to what every page has to be.
func (f *Fixture) Check(lang string, pages map[string]string) {
	f.Helper()
	p, weights := f.Person(), map[string]int{}
	other, dir := "ja", locales.Load().Find(lang).Dir
	if lang == other {
		other = "en"
	}
	for name, body := range pages {
		for what, ok := range map[string]bool{
			"language":       strings.Contains(body, `<html lang="`+lang+`" dir="`+dir+`"`),
			"one heading":    strings.Count(body, "<h1>") == 1,
			"a title":        !strings.Contains(body, "<title></title>"),
			"only known":     !strings.Contains(body, "ZgotmplZ") && !strings.Contains(body, "{{"),
			"no third party": !thirdParty.MatchString(body),
			"nothing inline": !inline.MatchString(body),
			"other language": strings.Contains(body, "lang="+other),
		} {
			if !ok {
				f.Errorf("%s in %s lacks: %s\n%s", name, lang, what, body)
			}
		}
		weight := compressed(body)
		for _, m := range asset.FindAllStringSubmatch(body, -1) {
			if weights[m[1]] == 0 {
				weights[m[1]] = compressed(p.Do(http.MethodGet, m[1], nil).Want(200).Body)
			}
			weight += weights[m[1]]
		}
		if weight > maxWeight {
			f.Errorf("%s in %s weighs %d bytes", name, lang, weight)
		}
	}
}

func compressed(text string) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Len()
}
