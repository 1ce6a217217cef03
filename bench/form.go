package main

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// form is a form on a page: where it posts to, and the hidden fields that go along.
type form struct {
	action string
	fields url.Values
}

// findForm finds the form that has the named field, as a person would.
func findForm(page []byte, field string) (form, error) {
	var f form
	inside, found := false, false
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return form{}, fmt.Errorf("the page has no form with a field %q", field)
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "form" {
				if found {
					return f, nil
				}
				inside = false
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			switch tag := string(name); {
			case tag == "form":
				inside, found = true, false
				f = form{action: attributes(z, hasAttr)["action"], fields: url.Values{}}
			case inside && tag == "input":
				a := attributes(z, hasAttr)
				if a["name"] == field {
					found = true
				} else if a["type"] == "hidden" {
					f.fields.Set(a["name"], a["value"])
				}
			}
		}
	}
}

func attributes(z *html.Tokenizer, more bool) map[string]string {
	all := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		all[string(key)] = string(value)
	}
	return all
}

// words is what a page says, for an error message.
func words(page []byte) string {
	var text []string
	skip := false
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			all := strings.Join(strings.Fields(strings.Join(text, " ")), " ")
			return all[:min(len(all), 300)]
		case html.StartTagToken, html.EndTagToken:
			name, _ := z.TagName()
			skip = string(name) == "style" || string(name) == "script"
		case html.TextToken:
			if !skip {
				text = append(text, string(z.Text()))
			}
		}
	}
}
