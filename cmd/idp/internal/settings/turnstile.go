package settings

import (
	"errors"
	"fmt"
	"net/url"

	"idp/store"
)

// CheckTurnstile tells what does not fit together of the settings of Turnstile.
func (s *Server) CheckTurnstile() error {
	switch {
	case (s.TurnstileSiteKey == "") != (s.TurnstileSecret == ""):
		return errors.New("IDP_TURNSTILE_SITE_KEY and IDP_TURNSTILE_SECRET (or IDP_TURNSTILE_SECRET_FILE) belong together: set both")
	case s.TurnstileEndpointURL == "":
		return nil
	case s.TurnstileSiteKey == "":
		return errors.New("IDP_TURNSTILE_ENDPOINT_URL has no effect without IDP_TURNSTILE_SITE_KEY")
	}
	u, err := url.Parse(s.TurnstileEndpointURL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !store.IsLoopback(u.Hostname())) {
		return fmt.Errorf("IDP_TURNSTILE_ENDPOINT_URL %q is no https:// URL", s.TurnstileEndpointURL)
	}
	return nil
}
