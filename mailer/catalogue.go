package mailer

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// fallbackLocale is what a mail is written in when its locale has no catalogue.
const fallbackLocale = "en"

// locales/TAG.json is one flat catalogue per language; every one has the keys
// and placeholders of locales/en.json, held by a test. A usage's texts end in
// its name ("subject.SignIn"). One with a first line of its own
// ("first.Recovered") has mails without a code.
//
//go:embed locales/*.json
var localeFiles embed.FS

// catalogue is the texts of one language by key.
type catalogue map[string]string

// loadCatalogues reads the embedded files. They are part of the binary, so a
// broken one is a bug and panics.
func loadCatalogues() map[string]catalogue {
	entries, err := localeFiles.ReadDir("locales")
	if err != nil {
		panic(err)
	}
	all := map[string]catalogue{}
	for _, e := range entries {
		b, err := localeFiles.ReadFile(path.Join("locales", e.Name()))
		if err != nil {
			panic(err)
		}
		var c catalogue
		if err := json.NewDecoder(bytes.NewReader(b)).Decode(&c); err != nil {
			panic(fmt.Sprintf("read catalogue %s: %v", e.Name(), err))
		}
		all[strings.TrimSuffix(e.Name(), ".json")] = c
	}
	return all
}

// match finds the catalogue for a BCP 47 tag: the tag itself, then ever shorter
// prefixes ("ja-JP", "ja": RFC 4647 section 3.4), then the fallback.
func match(all map[string]catalogue, tag string) (string, catalogue) {
	for tag != "" {
		for have, c := range all {
			if strings.EqualFold(have, tag) {
				return have, c
			}
		}
		tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
	}
	return fallbackLocale, all[fallbackLocale]
}

// text fills the placeholders of a key: pairs of "{name}", value. Values are not
// searched for placeholders again.
func (c catalogue) text(key string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(c[key])
}
