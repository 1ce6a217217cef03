package address_test

import (
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"idp/store"
	"idp/store/address"
)

// What is taken is canonical, is one address to everybody else who reads it, and cannot
// break out of a header, a query or a page.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"ada@example.com", "ada@bücher.example", " Ada@Example.COM ", "a.b+tag@example.co.uk", "o'brien@xn--bcher-kva.example", "ada@例え。テスト",
		"ada@example.com\r\nBcc: x@example.com", `"ada"@example.com`, "ada@ｅxample.com", "ada@faß.example", "ada@a\u200db.example", "ada@[::1]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		e, err := address.Parse(in)
		if err != nil {
			if e != "" {
				t.Fatalf("%q is refused, and gives %q", in, e)
			}
			return
		}
		for _, spelled := range []string{string(e), strings.ToUpper(string(e)), " \t" + string(e) + "\u00a0"} {
			if again, err := address.Parse(spelled); err != nil || again != e {
				t.Fatalf("%q became %q; spelled %q that is %q (%v)", in, e, spelled, again, err)
			}
		}
		if strings.Trim(string(e), "abcdefghijklmnopqrstuvwxyz0123456789.@!#$%&'*+-/=?^_`{|}~") != "" || strings.Count(string(e), "@") != 1 || len(e) > 254 {
			t.Fatalf("%q let %q through", in, e)
		}
		read, err := mail.ParseAddress("<" + string(e) + ">")
		if err != nil || read.Address != string(e) || read.Name != "" {
			t.Fatalf("%q became %q, which others read as %+v (%v)", in, e, read, err)
		}
		if key := address.Fold(e); address.Fold(store.Email(key)) != key {
			t.Fatalf("%q folds to %q, and that to something else", e, key)
		}
		if local, _, _ := strings.Cut(string(e), "@"); len(local) > 1 && strings.Contains(address.Mask(e), local+"…") {
			t.Fatalf("%q is masked as %q", e, address.Mask(e))
		}
	})
}

// Entries of address lists mean what their stars say, compared with regular expressions.
func FuzzPattern(f *testing.F) {
	f.Add("ada*@example.com", "ada.l@example.com")
	f.Add("@*.example.com", "ada@mail.example.com")
	f.Add("*a*b*@*", "aabb@example.com")
	f.Add("@bücher.example", "ada@xn--bcher-kva.example")
	f.Add("@*", "*@a.b")
	f.Fuzz(func(t *testing.T, entry, who string) {
		pattern, err := address.ParsePattern(entry)
		if err != nil {
			return
		}
		if again, err := address.ParsePattern(pattern); err != nil || again != pattern {
			t.Fatalf("%q became %q, which became %q (%v)", entry, pattern, again, err)
		}
		e, err := address.Parse(who)
		if err != nil {
			return
		}
		local, domain, _ := strings.Cut(pattern, "@")
		if local == "" {
			local = "*"
		}
		want := regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(local+"@"+domain), `\*`, `.*`) + `$`).MatchString(string(e))
		if got := address.Admits(store.AddressPolicy{Allow: []string{pattern}}, e); got != want {
			t.Fatalf("%q lets %q in: %v", pattern, e, got)
		}
		if address.Admits(store.AddressPolicy{Block: []string{pattern}}, e) == want {
			t.Fatalf("%q blocks %q: %v", pattern, e, !want)
		}
	})
}
