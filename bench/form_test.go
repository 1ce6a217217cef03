package main

import "testing"

func TestFindFormTakesTheOneWithTheField(t *testing.T) {
	t.Parallel()
	page := []byte(`<form action="/language"><input type="hidden" name="r" value="x"><input name="lang"></form>
		<form method=post action="/sign-in?a=1&amp;b=2"><input type=hidden name=r value="v1.a&amp;b"/><input name="email" required><button>Go</button></form>`)
	f, err := findForm(page, "email")
	if err != nil {
		t.Fatal(err)
	}
	if f.action != "/sign-in?a=1&b=2" || f.fields.Encode() != "r=v1.a%26b" {
		t.Errorf("found %+v", f)
	}
	if _, err := findForm(page, "code"); err == nil {
		t.Error("found a form that is not there")
	}
}
