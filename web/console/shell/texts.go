package shell

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"sync"

	"idp/web/locales"
)

// tags are the languages of the console. Templates and code are in the first one, whose
// texts are the keys of the others.
var tags = []string{"en", "ja"}

//go:embed texts
var catalogues embed.FS

// translations are the texts of a language by their English.
var translations = map[string]func() map[string]string{
	"ja": sync.OnceValue(func() map[string]string { return readTexts("ja") }),
}

func readTexts(tag string) map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(catalogues, "texts/"+tag+"/*.json")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		raw, err := catalogues.ReadFile(name)
		if err != nil {
			panic(err)
		}
		one := map[string]string{}
		if err := json.Unmarshal(raw, &one); err != nil {
			panic(fmt.Sprintf("read %s: %v", name, err)) // part of the binary: a bug
		}
		for k, v := range one {
			all[k] = v
		}
	}
	return all
}

// text is an English text in a language. What is not in its catalogue stays English: tests
// hold that all texts of pages are there, and reasons of errors may be new.
func text(l *locales.Language, english string) string {
	if texts, ok := translations[l.Tag]; ok {
		if translated, ok := texts()[english]; ok {
			return translated
		}
	}
	return english
}

// N marks an English text that is translated when it is shown.
func N(english string) string { return english }

// T is an English text in the language of the visit, with values put in as by fmt.Sprintf.
func (v *Visit) T(english string, values ...any) string {
	translated := text(v.Lang, english)
	if len(values) == 0 {
		return translated
	}
	return fmt.Sprintf(translated, values...)
}

// functions are what templates of the console can call.
func functions(l *locales.Language) template.FuncMap {
	return template.FuncMap{
		"t":     func(english string, values ...any) string { return translate(l, english, values...) },
		"field": newField,
		"is":    func(v any, s string) bool { return fmt.Sprint(v) == s },
		"dict":  newDict,
	}
}

func translate(l *locales.Language, english string, values ...any) string {
	if len(values) == 0 {
		return text(l, english)
	}
	return fmt.Sprintf(text(l, english), values...)
}
