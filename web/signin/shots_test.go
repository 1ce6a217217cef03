//go:build browser

package signin_test

import (
	"testing"

	"idp/otp"
	"idp/web/webtest"
)

func TestShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		f := webtest.New(t, shortWaits)
		f.Shots(lang, everyPage(f, lang))
		f = webtest.New(t)
		f.Shots(lang, brandedPages(f, lang, "/static/icon.0.svg"))
	}
}

// eightDigits is the code page while codes are guessed at, and as the console has it.
func eightDigits(f *webtest.Fixture, lang string) map[string]string {
	p := f.Person()
	p.Headers.Set("Accept-Language", lang)
	code := p.ToCode("/sign-in", "ada@example.com")
	wrong := code.Submit("/verify", "code", webtest.Wrong(f.Code("ada@example.com", 1)))
	return map[string]string{"code-eight": code.Body, "code-eight-wrong": wrong.Body, "code-eight-short": code.Submit("/verify", "code", "123456").Body}
}

func TestEightDigitShots(t *testing.T) {
	for _, lang := range webtest.ShotLanguages() {
		f := webtest.New(t, func(c *otp.Config) { c.Digits = 8 })
		f.Shots(lang, eightDigits(f, lang))
	}
}
