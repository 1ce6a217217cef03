package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"idp/store"
	"idp/webhook"
)

type pictureStore interface {
	KeepPicture(ctx context.Context, p store.Picture, url string) error
	Picture(ctx context.Context, hash string) (store.Picture, error)
	PictureAt(ctx context.Context, url string) (hash string, err error)
}

// The bounds of a picture, and of the time that fetching it may take.
const (
	MaxPicture   = 500 << 10 // bytes: a logo is 32 pixels high
	fetchTimeout = 10 * time.Second
	maxHops      = 3
)

// Fetcher gets what is at an address. The error says why not, as told to the person who has
// set that address: "cannot be fetched: …".
type Fetcher interface {
	Fetch(ctx context.Context, url string) ([]byte, error)
}

// KeepPicture keeps an uploaded picture, to be served by us under base, and gives the address
// that it has then. field is what the error names.
func (s *Service) KeepPicture(ctx context.Context, base, field string, data []byte) (string, error) {
	p, err := readPicture(data)
	if err != nil {
		return "", store.InvalidField("keep picture", field, err.Error())
	}
	url := strings.TrimRight(base, "/") + store.PicturesPath + p.Hash
	return url, s.store.KeepPicture(ctx, p, url)
}

// fetchPictures fetches those pictures whose address was changed: people's browsers get them
// from us, and ask nobody else. Pairs of a field and its addresses, before and after.
func (s *Service) fetchPictures(ctx context.Context, op string, pictures ...[3]string) error {
	if s.fetcher == nil {
		return nil
	}
	for _, p := range pictures {
		field, before, url := p[0], p[1], p[2]
		if url == before || !strings.HasPrefix(url, "https:") { // the other one is on this machine: somebody tries something out
			continue
		}
		hash, err := s.store.PictureAt(ctx, url)
		if err != nil {
			return err
		}
		if hash != "" && strings.HasSuffix(url, store.PicturesPath+hash) { // it was uploaded
			continue
		}
		data, err := s.fetcher.Fetch(ctx, url)
		if err != nil {
			return store.InvalidField(op, field, err.Error())
		}
		kept, err := readPicture(data)
		if err != nil {
			return store.InvalidField(op, field, err.Error())
		}
		if err := s.store.KeepPicture(ctx, kept, url); err != nil {
			return err
		}
	}
	return nil
}

// signatures are what files of a kind of picture begin with.
var signatures = []struct{ begins, kind string }{
	{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"}, {"\x00\x00\x01\x00", "image/x-icon"},
}

// readPicture finds out what kind of picture something is, by what it holds and not by what
// it says of itself.
func readPicture(data []byte) (store.Picture, error) {
	sum := sha256.Sum256(data)
	p := store.Picture{Hash: hex.EncodeToString(sum[:]), Data: data}
	for _, s := range signatures {
		if bytes.HasPrefix(data, []byte(s.begins)) {
			p.Type = s.kind
		}
	}
	switch {
	case len(data) > MaxPicture:
		return p, fmt.Errorf("is larger than %d kB", MaxPicture>>10)
	case p.Type != "":
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		p.Type = "image/webp"
	case isSVG(data):
		p.Type = "image/svg+xml"
	default:
		return p, errors.New("is no PNG, JPEG, WebP, GIF, SVG or ICO")
	}
	return p, nil
}

// isSVG tells whether something is an SVG document without scripts. As a picture none would
// run, and it is served so that none runs in a tab of its own: this says so early.
func isSVG(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	root := false
	for {
		token, err := d.Token()
		if err != nil {
			return root && errors.Is(err, io.EOF)
		}
		switch t := token.(type) {
		case xml.Directive: // entities
			if bytes.Contains(bytes.ToUpper(t), []byte("ENTITY")) {
				return false
			}
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			if !root && name != "svg" || name == "script" || name == "foreignobject" {
				return false
			}
			root = true
			for _, a := range t.Attr {
				if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Value)), "javascript:") {
					return false
				}
			}
		}
	}
}

// fetcher is a [Fetcher] that connects to public addresses only.
type fetcher struct {
	client http.Client
	agent  string
}

// NewFetcher makes one. private are networks besides that it may connect to.
func NewFetcher(agent string, private ...netip.Prefix) Fetcher {
	return &fetcher{agent: agent, client: http.Client{
		Timeout: fetchTimeout,
		Transport: &http.Transport{
			DialContext: webhook.Dialer(private), TLSHandshakeTimeout: fetchTimeout / 2, ResponseHeaderTimeout: fetchTimeout / 2,
			MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxHops || r.URL.Scheme != "https" {
				return errors.New("it leads elsewhere, and that again or without encryption")
			}
			return nil
		},
	}}
}

// Fetch implements [Fetcher].
func (f *fetcher) Fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errors.New("cannot be fetched: it is no URL")
	}
	r.Header.Set("User-Agent", f.agent)
	r.Header.Set("Accept", "image/*")
	res, err := f.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("cannot be fetched: %w", webhook.Plainly(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("cannot be fetched: the server answers %d", res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, MaxPicture+1))
	if err != nil {
		return nil, errors.New("cannot be fetched: the connection broke before all of it was there")
	}
	return data, nil
}
