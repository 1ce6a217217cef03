package signin

import (
	"encoding/json"
	"net/http"
	"time"

	"idp/store"
	"idp/web/form"
	"idp/web/serve"
)

// mailWords are the states of a mail as the page knows them. What a provider tells of a
// single mail stays "sent": no provider tells anything of a decoy, so the difference
// would say that an address has an account. So does one that its recipient's server did
// not take: the store calls that delayed. A bounce for good is shown all the same: it
// puts the address on the suppression list, and that is asked of decoys, too.
var mailWords = map[store.MailState]string{
	store.MailQueued: "queued", store.MailSent: "sent", store.MailFailed: "failed", store.MailExpired: "expired", store.MailSuppressed: "bounced",
	store.MailDelayed: "sent", store.MailDelivered: "sent", store.MailBounced: "sent", store.MailComplained: "sent", store.MailRejected: "sent",
}

// firstShown is how long after its mail was queued a code page is shown for the first
// time, at most. There is no news of the mail by then, and nothing is asked.
const firstShown = 3 * time.Second

// mailWord is what became of the mail, for a page that is shown again: without its
// script that is how a person gets to know.
func (p *Pages) mailWord(v *visit, c challenge) string {
	if c.SentAt.IsZero() || p.Now().Before(c.SentAt.Add(firstShown)) {
		return "queued"
	}
	st, err := p.Codes.State(v.r.Context(), c.ID, v.browser)
	if err != nil { // the page is worth showing all the same
		return "queued"
	}
	if word := mailWords[st.Mail]; word != "" {
		return word
	}
	return "queued"
}

// mailStatus is what the code page is told while it is open.
type mailStatus struct {
	Mail       string `json:"mail"`
	NextSendIn int    `json:"nextSendIn"` // seconds; -1: no more codes
	TriesLeft  int    `json:"triesLeft"`
	Done       bool   `json:"done"`
}

// status is GET /verify/status. It answers only the browser that the challenge is
// bound to.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	fields, err := form.Read(w, r, longest)
	browser, known := p.Browser.Hash(r)
	c, ok := p.openChallenge(fields.Get("c"), browser)
	if err != nil || !known || !ok {
		writeStatus(w, http.StatusNotFound, map[string]string{"error": "not_found"})
		return
	}
	st, err := p.Codes.State(r.Context(), c.ID, browser)
	switch code := store.CodeOf(err); {
	case code == store.NotFound:
		writeStatus(w, http.StatusNotFound, map[string]string{"error": "not_found"})
	case serve.Left(r.Context(), err):
		return
	case err != nil:
		p.Log.WarnContext(r.Context(), "mail status", "error", err, "request_id", reference(r))
		h.Set("Retry-After", "5")
		writeStatus(w, http.StatusServiceUnavailable, map[string]string{"error": "unavailable"})
	default:
		out := mailStatus{Mail: mailWords[st.Mail], NextSendIn: -1, TriesLeft: st.TriesLeft, Done: st.Consumed}
		if !st.NextSend.IsZero() && st.SendsLeft > 0 {
			out.NextSendIn = max(seconds(st.NextSend.Sub(p.Now())), 0)
		}
		writeStatus(w, http.StatusOK, out)
	}
}

func writeStatus(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the visitor may be gone
}
