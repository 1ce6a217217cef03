package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"idp/store"
	"idp/webhook"
)

func checkHookKey(op string) error {
	return store.InvalidField(op, "signingKey", fmt.Sprintf("is %d to %d characters", minHookKey, maxHookKey))
}

// secretsGone is told of a hook that was set up under another secret of the instance.
func secretsGone(op string) error {
	return &store.Error{Code: store.Conflict, Op: op, Err: errors.New("its secrets do not open under the instance's secret: rotate its signing key first")}
}

// fillHook checks a form and puts it into a hook. was is the configuration that masks stand for.
func (s *Service) fillHook(op string, h *store.Hook, f HookForm, was webhook.Config, key string) error {
	c, err := unmaskHook(op, f.Config, was)
	if err == nil {
		err = s.hooks.Seal(op, h, c, key)
	}
	h.Name, h.Events, h.Enabled = f.Name, f.Events, f.Enabled
	return errors.Join(checkText(op, "name", f.Name, 0, 256), checkHookEvents(op, f.Events), err)
}

func checkHookEvents(op string, names []string) error {
	if len(names) == 0 {
		return store.InvalidField(op, "events", "names none: one at least")
	}
	known := webhook.Events()
	for i, name := range names {
		switch {
		case !slices.Contains(known, name):
			return store.InvalidField(op, fmt.Sprintf("events[%d]", i), "is no event that happens here")
		case slices.Contains(names[:i], name):
			return store.InvalidField(op, fmt.Sprintf("events[%d]", i), "is there twice")
		}
	}
	return nil
}

// unmaskHook puts values in the place of masks: those of the same headers before, if it is
// posted to the same place.
func unmaskHook(op string, c, was webhook.Config) (webhook.Config, error) {
	headers := maps.Clone(c.Headers)
	for name, value := range headers {
		if value != Mask {
			continue
		}
		old, ok := was.Headers[name]
		switch {
		case !ok:
			return c, store.InvalidField(op, "config.headers."+name, "is what stands for a value that is not there: write the value")
		case originOf(c.URL) != originOf(was.URL):
			return c, store.InvalidField(op, "config.headers."+name, "is what stands for a value that was for another host: write the value, because it is sent there")
		}
		headers[name] = old
	}
	c.Headers = headers
	return c, nil
}

// originOf is the part of a URL that holds no secret.
func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func (s *Service) showHook(h store.Hook) Hook {
	c, _, err := s.hooks.Open(h)
	if err != nil { // under a secret that is gone: it can be looked at, and mended
		c.URL = h.URL
	}
	c.Headers = maps.Clone(c.Headers)
	for name := range c.Headers {
		c.Headers[name] = Mask
	}
	return Hook{
		HookForm: HookForm{h.Name, slices.Clone(h.Events), c, h.Enabled}, ID: h.ID, SigningKey: Mask, CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt,
	}
}

// hookSeen is what the audit log tells of a webhook: no secret is in it. A path may be one,
// so it is told by its fingerprint.
func hookSeen(h store.Hook, c webhook.Config) any {
	sum := sha256.Sum256([]byte(h.URL))
	return struct {
		Name    string   `json:"name"`
		Events  []string `json:"events"`
		Origin  string   `json:"origin"`
		URL     string   `json:"urlSha256"`
		Headers []string `json:"headers"`
		Retries *int     `json:"retries"`
		Enabled bool     `json:"enabled"`
	}{h.Name, h.Events, originOf(h.URL), hex.EncodeToString(sum[:8]), slices.Sorted(maps.Keys(c.Headers)), c.Retries, h.Enabled}
}
