package address_test

import (
	"strings"
	"testing"

	"idp/store"
	"idp/store/address"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Ada@Example.com":    "ada@example.com",
		" @example.com ":     "@example.com",
		"@*.example.com":     "@*.example.com",
		"foo*@example.com":   "foo*@example.com",
		"*@*.bücher.example": "*@*.xn--bcher-kva.example",
		"@BÜCHER.example":    "@xn--bcher-kva.example",
		"*+*@example.com":    "*+*@example.com",
		"@example.*":         "@example.*",
		"admin@*":            "admin@*",
		"@*":                 "",
		"example.com":        "",
		"@":                  "",
		"":                   "",
		"a b@example.com":    "",
		"@exam ple.com":      "",
		"a@b@example.com":    "",
		"@-bad.example":      "",
		"****a*@example.com": "",
		"a@" + strings.Repeat("x", 300) + ".example": "",
		"a\n@example.com": "",
	} {
		got, err := address.ParsePattern(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	list := func(entries ...string) []string { return entries }
	for _, c := range []struct {
		policy store.AddressPolicy
		yes    []string
		no     []string
	}{
		{store.AddressPolicy{}, list("a@example.com", "a+b@mailinator.com"), nil},
		{store.AddressPolicy{BlockSubaddressing: true}, list("a@example.com", "a@plus.example"), list("a+b@example.com", "+@example.com")},
		{store.AddressPolicy{BlockDisposable: true}, list("a@example.com", "a@xmailinator.com"), list("a@mailinator.com", "a@x.mailinator.com")},
		{store.AddressPolicy{Block: list("bad@example.com", "@evil.example", "@*.evil.example", "foo*@wild.example")},
			list("ada@example.com", "a@notevil.example", "afoo@wild.example"),
			list("bad@example.com", "a@evil.example", "a@x.evil.example", "a@x.y.evil.example", "foo@wild.example", "foobar@wild.example")},
		{store.AddressPolicy{Allow: list("@ours.example", "guest@example.com")}, list("a@ours.example", "guest@example.com"), list("a@example.com", "a@sub.ours.example")},
		{store.AddressPolicy{Allow: list("@mailinator.com", "@ours.example"), BlockDisposable: true, Block: list("bad@ours.example")},
			list("a@mailinator.com", "a@ours.example"), list("bad@ours.example", "a@yopmail.com")},
	} {
		for _, e := range c.yes {
			if !address.Admits(c.policy, store.Email(e)) {
				t.Errorf("%+v refuses %s", c.policy, e)
			}
		}
		for _, e := range c.no {
			if address.Admits(c.policy, store.Email(e)) {
				t.Errorf("%+v admits %s", c.policy, e)
			}
		}
	}
}

func TestDisposableListIsSorted(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"mailinator.com", "10minutemail.com", "yopmail.com", "guerrillamail.com"} {
		if !address.Disposable(domain) {
			t.Error(domain)
		}
	}
	for _, domain := range []string{"gmail.com", "example.com", "com", "", "icloud.com", "privaterelay.appleid.com"} {
		if address.Disposable(domain) {
			t.Error(domain)
		}
	}
}
