package form

import (
	"net/http"
	"net/url"
	"slices"
)

// Own makes a middleware that keeps the forms of other sites out, as far as the
// browser's headers tell; refuse answers them. A form needs a token that is bound to
// a cookie besides: because of our own Referrer-Policy a browser sends our forms with
// "Origin: null" (Fetch standard, "append a request Origin header"), which says
// nothing. One that sends no Sec-Fetch-Site with it (Safari before 16.4) says nothing
// at all, like one that sends neither: the token decides there.
func Own(endpoint *url.URL, refuse http.HandlerFunc) (func(http.Handler) http.Handler, error) {
	origin := http.NewCrossOriginProtection()
	// A proxy may change Host; the origin that people see is configured.
	if err := origin.AddTrustedOrigin(endpoint.Scheme + "://" + endpoint.Host); err != nil {
		return nil, err
	}
	origin.SetDenyHandler(refuse)
	return func(next http.Handler) http.Handler {
		checked := origin.Handler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.Header.Values("Sec-Fetch-Site")) == 0 && slices.Equal(r.Header.Values("Origin"), []string{"null"}) {
				next.ServeHTTP(w, r)
				return
			}
			checked.ServeHTTP(w, r)
		})
	}, nil
}
