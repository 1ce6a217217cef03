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
}

const defaultTimeout = 3 * time.Second

// parse checks a configuration; the error says what to change.
func parse(config []byte) (*url.URL, time.Duration, error) {
	var c Config
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, 0, fmt.Errorf(`not {"url": "https://…", "timeout": "3s"}: %w`, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, 0, errors.New("there is more after the JSON object")
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		return nil, 0, errors.New("url is missing: the address that mails are posted to")
	case err != nil:
		return nil, 0, errors.New("url cannot be read: it should look like https://mail.example.com/send")
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, 0, errors.New("url has to start with https:// and name a host")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, 0, errors.New("url has to be https, because mails carry codes; plain http only to localhost")
	}
	timeout := defaultTimeout
	if c.Timeout != "" {
		if timeout, err = time.ParseDuration(c.Timeout); err != nil || timeout <= 0 || timeout > 10*time.Second {
			return nil, 0, errors.New(`timeout has to be a duration up to "10s", such as "3s"`)
		}
	}
	return u, timeout, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
