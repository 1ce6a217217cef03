// Package feedback is where providers post what became of mails:
//
//	POST /hooks/ses   a message of Amazon SNS, with an event of Amazon SES
//
// There is no cookie and no form here, so nothing that guards those: what is posted
// counts if its signature is right. The answer says what the provider is to do:
//
//	200  taken, or nothing of ours           403  not believed, too old, or taken before
//	400  no message                          413  too long
//	503  to be sent again, with Retry-After
//
// Its body is one word: who posts rubbish learns nothing.
package feedback

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"idp/store"
	"idp/web/serve"
)

// Path is where Amazon SNS posts to.
const Path = "/hooks/ses"

// MaxBody bounds a message: 256 kB of text are SNS's limit, and JSON escapes some.
const MaxBody = 512 << 10

// Feedback takes messages.
type Feedback interface {
	// Take takes one. The error is store.Invalid for what is none, store.Unavailable for
	// what is to be sent again, and another of the store's for what is refused.
	Take(ctx context.Context, body []byte) error
}

// Deps is what the routes are made of.
type Deps struct {
	Feedback Feedback
	Log      *slog.Logger
}

// Mount adds the routes.
func Mount(r chi.Router, d Deps) {
	r.Post(Path, d.ses)
}

func (d Deps) ses(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		status := http.StatusBadRequest
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			status = http.StatusRequestEntityTooLarge
		}
		answer(w, status)
		return
	}
	err = d.Feedback.Take(r.Context(), body)
	if serve.Left(r.Context(), err) {
		return
	}
	status, level := statusOf(err)
	if err != nil {
		d.Log.Log(r.Context(), level, "a notification about mails was not taken", "status", status, "error", err, "request_id", serve.RequestID(r.Context()))
	}
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "20")
	}
	answer(w, status)
}

func statusOf(err error) (int, slog.Level) {
	switch store.CodeOf(err) {
	case store.Unavailable:
		return http.StatusServiceUnavailable, slog.LevelWarn
	case store.Invalid:
		return http.StatusBadRequest, slog.LevelInfo
	case "":
		if err == nil {
			return http.StatusOK, slog.LevelDebug
		}
		return http.StatusInternalServerError, slog.LevelError
	}
	return http.StatusForbidden, slog.LevelWarn
}

func answer(w http.ResponseWriter, status int) {
	words := map[int]string{http.StatusOK: "ok", http.StatusServiceUnavailable: "later"}
	word, ok := words[status]
	if !ok {
		word = "refused"
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, word+"\n") // the provider may be gone
}
