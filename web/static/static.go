// Package static serves the style sheet, scripts and icon of all pages. They are
// embedded and named by their content, so that a browser asks once and a new
// release is seen at once.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is where the files are.
const Prefix = "/static/"

//go:embed files
var embedded embed.FS

var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Files is all of them, ready to send.
type Files struct {
	byName map[string]*file // "page.css"
	byURL  map[string]*file // "/static/page.0123456789ab.css"
}

type file struct {
	url, contentType string
	plain            []byte
	gzipped          func() []byte
}

// Load reads the files. They are part of the binary, so a broken
// one is a bug and panics. Each is compressed when it is first asked for: at the start that
// would be a tenth of its time, and a compressor's megabyte for each.
func Load() *Files {
	f := &Files{byName: map[string]*file{}, byURL: map[string]*file{}}
	entries, err := embedded.ReadDir("files")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		plain, err := embedded.ReadFile(path.Join("files", e.Name()))
		if err != nil {
			panic(err)
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(plain)
		one := &file{
			url:         Prefix + strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			contentType: types[ext], plain: plain, gzipped: sync.OnceValue(func() []byte { return compress(plain) }),
		}
		if one.contentType == "" {
			panic("no content type for " + e.Name())
		}
		f.byName[e.Name()], f.byURL[one.url] = one, one
	}
	return f
}

func compress(plain []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(plain) // into memory
	_ = z.Close()
	return b.Bytes()
}

// URL is where the file with this name is; an unknown name is a bug and panics.
func (f *Files) URL(name string) string {
	one, ok := f.byName[name]
	if !ok {
		panic("no static file " + name)
	}
	return one.url
}

// Text is what the file with this name holds; an unknown name is a bug and panics.
func (f *Files) Text(name string) string {
	one, ok := f.byName[name]
	if !ok {
		panic("no static file " + name)
	}
	return string(one.plain)
}

// ServeHTTP implements [http.Handler] below [Prefix].
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	one, current := f.byURL[r.URL.Path]
	if !current { // a page of the release before or after, from another replica
		one = f.byName[unhashed(r.URL.Path)]
	}
	if one == nil {
		http.NotFound(w, r)
		return
	}
	body := one.plain
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = one.gzipped()
	}
	h.Set("Cache-Control", "no-cache")
	if current {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Content-Type", one.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a HEAD's body is dropped by the server
}

// unhashed turns "/static/page.0123456789ab.css" into "page.css".
func unhashed(url string) string {
	parts := strings.Split(strings.TrimPrefix(url, Prefix), ".")
	if len(parts) != 3 {
		return ""
	}
	return parts[0] + "." + parts[2]
}
