package shell

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"idp/store"
)

// maxNotice bounds what a cookie carries.
const maxNotice = 512

// putNotice leaves a notice for the next page of this browser. It travels sealed: nobody
// else words what the console says.
func (s *Shell) putNotice(v *Visit, text string) {
	if text == "" {
		return
	}
	for len(text) > maxNotice {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	sealed := s.notices.Seal([]byte(strings.ToValidUTF8(text, "")), v.browser[:])
	s.Browser.SetNotice(v.W, base64.RawURLEncoding.EncodeToString(sealed))
}

// takeNotice gives what was left to be said, once. What a browser fetches ahead does not count.
func (s *Shell) takeNotice(v *Visit) string {
	value := s.Browser.Notice(v.R)
	if value == "" || v.R.Method != "GET" || v.R.Header.Get("Sec-Purpose") != "" {
		return ""
	}
	s.Browser.SetNotice(v.W, "")
	raw, err := store.DecodeBase64URL(value)
	if err != nil {
		return ""
	}
	text, err := s.notices.Open(raw, v.browser[:])
	if err != nil {
		return ""
	}
	return string(text)
}
