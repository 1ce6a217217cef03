package address_test

import (
	"strings"
	"testing"

	"idp/store/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ada@example.com":                              "ada@example.com",
		" Ada@Example.COM ":                            "ada@example.com",
		"a.b+tag@example.com":                          "a.b+tag@example.com",
		"o'brien@example.co.uk":                        "o'brien@example.co.uk",
		"ada@bücher.example":                           "ada@xn--bcher-kva.example",
		"ada@BÜCHER.example":                           "ada@xn--bcher-kva.example",
		"ada@例え.テスト":                                   "ada@xn--r8jz45g.xn--zckzah",
		"ada@example.com.":                             "",
		"ada":                                          "",
		"@example.com":                                 "",
		"ada@":                                         "",
		"ada@localhost":                                "",
		"ada@127.0.0.1":                                "",
		"ada@[127.0.0.1]":                              "",
		"ada@exa mple.com":                             "",
		"a da@example.com":                             "",
		".ada@example.com":                             "",
		"ada.@example.com":                             "",
		"a..b@example.com":                             "",
		`"ada"@example.com`:                            "",
		"ada(x)@example.com":                           "",
		"ada@example.com, b@x.com":                     "",
		"ada@b@example.com":                            "",
		"Ada <ada@example.com>":                        "",
		"ada\r\nBcc: x@example.com":                    "",
		"ada@example.com\r\nBcc: x":                    "",
		"ada\x00@example.com":                          "",
		"\u212a@example.com":                           "",
		"\u0130@example.com":                           "",
		"adä@example.com":                              "",
		"ada@-example.com":                             "",
		"ada@ex_ample.com":                             "",
		"ada@\u202eexample.com":                        "",
		"ada@example.com\xff":                          "",
		strings.Repeat("a", 64) + "@example.com":       strings.Repeat("a", 64) + "@example.com",
		strings.Repeat("a", 65) + "@example.com":       "",
		"a@" + strings.Repeat("a", 64) + ".com":        "",
		"a@" + strings.Repeat("abcdefgh.", 40) + "com": "",
	} {
		got, err := address.Parse(in)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestFoldCountsSpellingsOfOneMailboxTogether(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"ada.l@example.com", "adal+x@example.com", "a.d.a.l+y+z@example.com"} {
		e, err := address.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := address.Fold(e); got != "adal@example.com" {
			t.Errorf("Fold(%q) = %q", in, got)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	if got := address.Mask("ada@example.com"); got != "a…@example.com" {
		t.Error(got)
	}
}
