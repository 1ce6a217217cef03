package shell

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"net/http"
	"time"

	"idp/store"
	"idp/web/page"
	"idp/web/problem"
)

// newOnce names a form that makes something.
func newOnce() string {
	var id [16]byte
	rand.Read(id[:])
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// How long a form that was sent twice waits for what its first one becomes.
const (
	onceWait  = 5 * time.Second
	oncePause = 100 * time.Millisecond
)

// Once does what a form is for, however often it is sent: do does it, and says at which
// page what was made is. If do answers the visit itself (a secret is shown in the answer
// to the form, and nowhere else), every later one is sent to that page. The form holds
// {{template "once" .}}. An error of do gives the form free again. Who goes back to it and
// sends something else makes something else.
func (v *Visit) Once(do func() (to string, err error)) error {
	fields := maps.Clone(v.Form)
	delete(fields, "t")
	key := store.HashOf([]byte(v.Session.User.ID + "\n" + v.R.URL.Path + "\n" + fields.Encode()))
	to, first, err := v.shell.Store.ClaimForm(v.R.Context(), key)
	if err != nil {
		return err
	}
	if !first {
		return v.sentBefore(key, to)
	}
	ctx := context.WithoutCancel(v.R.Context()) // the visitor may be gone, which must not leave the form claimed
	to, err = do()
	if err != nil {
		_ = v.shell.Store.ReleaseForm(ctx, key) // it is given free by its age, too
		return err
	}
	return v.shell.Store.FinishForm(ctx, key, to)
}

func (v *Visit) sentBefore(key store.Hash, to string) error {
	for end := time.Now().Add(onceWait); to == ""; {
		if time.Now().After(end) {
			return problem.New("twice", http.StatusConflict)
		}
		select {
		case <-v.R.Context().Done():
			return v.R.Context().Err()
		case <-time.After(oncePause):
		}
		var first bool
		var err error
		if to, first, err = v.shell.Store.ClaimForm(v.R.Context(), key); err != nil {
			return err
		}
		if first { // the first one failed
			_ = v.shell.Store.ReleaseForm(v.R.Context(), key)
			return problem.New("twice", http.StatusConflict)
		}
	}
	page.SeeOther(v.W, to)
	return nil
}
