package signin

import (
	"log/slog"
	"net/http"

	"idp/store"
)

// Refuse shows why an authorization request cannot be answered, not even by a
// redirect.
func (p *Pages) Refuse(w http.ResponseWriter, r *http.Request, why store.Problem) {
	v := p.newVisit(w, r)
	switch why.Kind {
	case "redirect_mismatch":
		p.refuseRedirect(v, why)
	case "unknown_client":
		p.answer(v, &problem{page: "client", status: http.StatusBadRequest})
	case "too_large":
		p.answer(v, &problem{page: "large", status: http.StatusRequestEntityTooLarge, detail: why.Description})
	case "unavailable":
		p.answer(v, &problem{page: "unavailable", status: http.StatusServiceUnavailable})
	case "failure":
		p.answer(v, &problem{page: "failure", status: http.StatusInternalServerError})
	default:
		p.answer(v, &problem{page: "request", status: http.StatusBadRequest, detail: why.Description})
	}
}

// mismatch sets the redirect URI that was sent against the registered ones. Only
// developers are shown it: on a loopback endpoint.
type mismatch struct {
	Client     string
	Sent       difference
	Registered []difference
}

// difference is a text cut at the first character that differs from another's.
type difference struct{ Same, First, Rest string }

func (p *Pages) refuseRedirect(v *visit, why store.Problem) {
	p.switchLanguage(v)
	data := p.view(v)
	data.Reference = reference(v.r)
	if p.loopback {
		data.Mismatch = compare(why)
	}
	if err := p.render(v, http.StatusBadRequest, "mismatch", v.here(), data); err != nil {
		p.logError(v, slog.LevelError, err)
	}
}

// compare marks in each registered URI where it first differs from the sent one,
// and in the sent one where it differs from the one most like it.
func compare(why store.Problem) *mismatch {
	m := &mismatch{Client: why.Client}
	longest := 0
	for _, registered := range why.Registered {
		n := common(why.Sent, registered)
		m.Registered = append(m.Registered, cut(registered, n))
		longest = max(longest, n)
	}
	m.Sent = cut(why.Sent, longest)
	return m
}

// common is the length in bytes of the longest common beginning.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// cut marks the character at byte n, or the end by a mark without one.
func cut(text string, n int) difference {
	for n > 0 && n < len(text) && text[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	if n >= len(text) {
		return difference{Same: text, First: "\u00a0"}
	}
	size := len(string([]rune(text[n:])[:1]))
	return difference{text[:n], text[n : n+size], text[n+size:]}
}
