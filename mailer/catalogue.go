package mailer

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"idp/store"
)

// fallbackLocale is what a mail is written in when its locale has no catalogue.
const fallbackLocale = "en"

// locales/TAG.json is one flat catalogue per language; every one has the keys
// and placeholders of locales/en.json, held by a test, but for the plural forms of
// "life", which are those of the language. A usage's texts end in its name
// ("subject.SignIn"). One with a first line of its own ("first.Recovered") has
// mails without a code.
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

// aliases are tags whose catalogue has another name, in lower case. Readers of
// traditional Chinese get English: the simplified script is not theirs.
var aliases = map[string]string{
	"pt": "pt-BR", "zh": "zh-CN", "zh-hans": "zh-CN",
	"zh-hant": fallbackLocale, "zh-tw": fallbackLocale, "zh-hk": fallbackLocale, "zh-mo": fallbackLocale,
}

// match finds the catalogue for a BCP 47 tag: the tag itself, then ever shorter
// prefixes ("ja-JP", "ja": RFC 4647 section 3.4), then the fallback.
func match(all map[string]catalogue, tag string) (string, catalogue) {
	for ; tag != ""; tag = shorter(tag) {
		for have, c := range all {
			if strings.EqualFold(have, tag) {
				return have, c
			}
		}
		if have, ok := aliases[strings.ToLower(tag)]; ok {
			return have, all[have]
		}
	}
	return fallbackLocale, all[fallbackLocale]
}

// shorter is the tag without its last part.
func shorter(tag string) string { return tag[:max(strings.LastIndexByte(tag, '-'), 0)] }

// rtl tells whether a language of ours is written from right to left.
func rtl(lang string) bool { return lang == "ar" }

// text fills the placeholders of a key: pairs of "{name}", value. Values are not
// searched for placeholders again.
func (c catalogue) text(key string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(c[key])
}

// life says how long a code works, in the language's plural form for the number.
func (c catalogue) life(lang string, minutes int) string {
	form := pluralForms[plural.Cardinal.MatchPlural(language.Make(lang), minutes, 0, 0, 0, 0)]
	if c["life."+form] == "" {
		form = "other"
	}
	return c.text("life."+form, "{minutes}", strconv.Itoa(minutes))
}

// pluralForms are the ends of the keys, by CLDR's names.
var pluralForms = map[plural.Form]string{
	plural.Other: "other", plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many",
}

// worded is the usage whose texts a usage has: its own, else those of Generic.
func worded(u store.Usage) store.Usage {
	if catalogues[fallbackLocale]["subject."+string(u)] == "" {
		return store.UsageGeneric
	}
	return u
}

// coded tells whether a usage's mails are about a code.
func coded(u store.Usage) bool { return catalogues[fallbackLocale]["first."+string(worded(u))] == "" }
