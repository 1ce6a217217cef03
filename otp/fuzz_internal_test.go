package otp

import (
	"strings"
	"testing"
)

// What is read as a code is one, whatever it was typed like; reading it again changes
// nothing, and what a code can be typed like is read as that code.
func FuzzCode(f *testing.F) {
	for _, seed := range []string{"123456", " 123 456\n", "１２３４５６", "12-34-56", "12345o", "l23456", "1234567", "١٢٣٤٥٦", "1²3456", "123\u200b456", "123456\x00", "⑴23456", "\xff123456"} {
		f.Add(seed, uint8(0))
	}
	f.Add("12345678", uint8(1))
	f.Add("7K2QD-9XWMR-TVH4B-0N8CA-P5GJ3Z", uint8(0))
	f.Add("ilo2d 9xwmr tvh4b 0n8ca p5gj3z", uint8(1))
	f.Fuzz(func(t *testing.T, typed string, long uint8) {
		digits := 6 + 2*int(long%2)
		code, err := normalize(typed, digits)
		if err != nil {
			if code != "" {
				t.Fatalf("%q is refused, and gives %q", typed, code)
			}
			return
		}
		of := "0123456789"
		if len(code) == longCode {
			of = letters
		}
		if len(code) != digits && len(code) != longCode || strings.Trim(code, of) != "" {
			t.Fatalf("%q is read as %q", typed, code)
		}
		for _, as := range []string{code, code[:3] + " " + code[3:], " " + code + "\r\n", code[:2] + "-" + code[2:], wide.Replace(code), code + "\u200b", grouped(code), strings.ToLower(code)} {
			if again, err := normalize(as, digits); err != nil || again != code {
				t.Fatalf("%q is read as %q, and that, typed %q, as %q (%v)", typed, code, as, again, err)
			}
		}
		for _, not := range []string{code + "0", code[1:], code + "x", code[1:] + "u"} {
			if other, err := normalize(not, digits); err == nil {
				t.Fatalf("%q is read as %q", not, other)
			}
		}
	})
}

var wide = strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９")
