package browser

import "net/http"

const noticeName = "idp_notice"

// Notice is what the page before has left to be said on the next one, "" for nothing.
func (c *Cookies) Notice(r *http.Request) string {
	cookie, err := r.Cookie(c.name(noticeName))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetNotice leaves something to be said on the next page; "" takes it away.
func (c *Cookies) SetNotice(w http.ResponseWriter, text string) {
	age := 60
	if text == "" {
		age = -1
	}
	c.set(w, noticeName, text, age)
}
