package httpmail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"time"
)

// Config is the connector's configuration.
type Config struct {
	URL     string `json:"url"`               // https, or http to this machine
	Timeout string `json:"timeout,omitempty"` // of one request, "3s" unless set
	// SigningKey signs each body, so that the program knows the mails are ours. At least
	// 32 characters; without it nothing is signed.
	SigningKey string `json:"signingKey,omitempty"`
}

// minKey is 128 bits if somebody writes it in hexadecimal digits.
const minKey = 32

const defaultTimeout = 3 * time.Second

// parse checks a configuration; the error says what to change.
func parse(config []byte) (*url.URL, time.Duration, []byte, error) {
	var c Config
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, 0, nil, fmt.Errorf(`not {"url": "https://…", "timeout": "3s", "signingKey": "…"}: %w`, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, 0, nil, errors.New("there is more after the JSON object")
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return nil, 0, nil, errors.New("url is missing: the address that mails are posted to")
	case err != nil:
		return nil, 0, nil, errors.New("url cannot be read: it should look like https://mail.example.com/send")
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, 0, nil, errors.New("url has to start with https:// and name a host")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, 0, nil, errors.New("url has to be https, because mails carry codes; plain http only to localhost")
	}
	timeout := defaultTimeout
	if c.Timeout != "" {
		if timeout, err = time.ParseDuration(c.Timeout); err != nil || timeout <= 0 || timeout > 10*time.Second {
			return nil, 0, nil, errors.New(`timeout has to be a duration up to "10s", such as "3s"`)
		}
	}
	if n := len(c.SigningKey); n > 0 && n < minKey {
		return nil, 0, nil, fmt.Errorf("signingKey has %d characters; it has to have at least %d: openssl rand -hex 32", n, minKey)
	}
	return u, timeout, []byte(c.SigningKey), nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
