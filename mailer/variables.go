package mailer

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"idp/store"
)

// variables are what a template may name, with what the names stand for. The first
// seven are Logto's.
var variables = map[string]string{
	"code":              "the code; empty in a mail without one",
	"link":              "the address that signs in with one click, or that accepts an invitation; may be empty",
	"locale":            "the language that the mail is for, as asked",
	"application.name":  "the app's name",
	"organization.name": "the organization that invites",
	"user.name":         "the person's name; empty where it is not known",
	"user.primaryEmail": "the address that the mail goes to",
	"minutes":           "how many minutes the code works",
	"notMe":             "the address to say that it was somebody else; may be empty",
	"request.time":      "when the mail was asked for",
	"request.place":     "the network that it was asked from",
	"request.browser":   "the browser that it was asked in",
}

// Variables are the names that a template can use, in alphabetical order.
func Variables() []string { return slices.Sorted(maps.Keys(variables)) }

// roots are the first parts of names that are filled: a name that is not in
// variables is empty under one of them, and left as it stands under any other.
var roots = map[string]bool{
	"code": true, "link": true, "locale": true, "minutes": true, "notMe": true,
	"application": true, "organization": true, "user": true, "request": true, "uiLocales": true,
}

// variable is how a template names a value, in Logto's pattern: its \s is JavaScript's.
var variable = regexp.MustCompile(`\{\{[\s\p{Z}\x{FEFF}]*([\w.]+)[\s\p{Z}\x{FEFF}]*\}\}`)

// values are the variables of one mail, as plain text.
func values(m store.Message) map[string]string {
	_, c := match(catalogues, m.Locale)
	v := map[string]string{
		"code": m.Code, "link": webURL(m.Link), "notMe": webURL(m.NotMe), "locale": clean(m.Locale, maxDetail),
		"application.name": clean(m.App, maxApp), "organization.name": clean(m.Organization, maxApp), "user.primaryEmail": string(m.To),
		"request.time": asked(c, m.Asked), "request.place": clean(m.Place, maxDetail), "request.browser": browserName(m.Browser),
	}
	if m.Code != "" {
		v["minutes"] = strconv.Itoa(m.CodeTTL)
	}
	if v["application.name"] == "" {
		v["application.name"] = fallbackApp
	}
	return v
}

// gap is a stretch of a template and the variable that follows it; "" at the end.
type gap struct{ text, variable string }

// gaps cuts a template at its variables. It is cut once and filled once, so that
// a value which looks like a variable stays a value.
func gaps(template string) (cut []gap) {
	from := 0
	for _, at := range variable.FindAllStringSubmatchIndex(template, -1) {
		name := template[at[2]:at[3]]
		root, _, _ := strings.Cut(name, ".")
		if !roots[root] {
			continue
		}
		cut = append(cut, gap{template[from:at[0]], name})
		from = at[1]
	}
	return append(cut, gap{text: template[from:]})
}

func fillGaps(cut []gap, values map[string]string, escape func(string) string) string {
	var out strings.Builder
	for _, g := range cut {
		out.WriteString(g.text)
		if value := values[g.variable]; value != "" {
			out.WriteString(escape(value))
		}
	}
	return out.String()
}
