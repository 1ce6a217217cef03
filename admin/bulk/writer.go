package bulk

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"idp/admin"
	"idp/store"
)

// Writer writes people in the form that a [Reader] reads.
type Writer struct {
	out  *bufio.Writer
	csv  *csv.Writer // nil for JSON lines
	json *json.Encoder
}

// NewWriter begins a file.
func NewWriter(file io.Writer, format Format) (*Writer, error) {
	w := &Writer{out: bufio.NewWriterSize(file, 64<<10)}
	if format == CSV {
		w.csv = csv.NewWriter(w.out)
		return w, w.csv.Write(columns)
	}
	w.json = json.NewEncoder(w.out)
	w.json.SetEscapeHTML(false)
	return w, nil
}

// Write appends a person.
func (w *Writer) Write(n admin.Newcomer) error {
	suspended := n.Suspended != nil && *n.Suspended
	if w.csv != nil {
		profile, err := objectText(n.Profile)
		if err != nil {
			return err
		}
		return w.csv.Write([]string{n.ID, string(n.Email), n.Name, n.Username, n.Avatar, profile, string(n.CustomData),
			n.CreatedAt.Format(time.RFC3339Nano), strconv.FormatBool(suspended), namesText(n.Roles)})
	}
	var profile *store.Profile
	if (n.Profile != store.Profile{}) {
		profile = &n.Profile
	}
	return w.json.Encode(struct {
		ID         string          `json:"id"`
		Email      store.Email     `json:"email"`
		Name       string          `json:"name,omitempty"`
		Username   string          `json:"username,omitempty"`
		Avatar     string          `json:"avatar,omitempty"`
		Profile    *store.Profile  `json:"profile,omitempty"`
		CustomData json.RawMessage `json:"customData,omitempty"`
		CreatedAt  time.Time       `json:"createdAt"`
		Suspended  bool            `json:"suspended"`
		Roles      []string        `json:"roles"`
	}{n.ID, n.Email, n.Name, n.Username, n.Avatar, profile, n.CustomData, n.CreatedAt, suspended, n.Roles})
}

// Close writes what is left.
func (w *Writer) Close() error {
	if w.csv != nil {
		w.csv.Flush()
		if err := w.csv.Error(); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

// objectText is "" for an empty profile.
func objectText(p store.Profile) (string, error) {
	if (p == store.Profile{}) {
		return "", nil
	}
	text, err := json.Marshal(p)
	return string(text), err
}

// namesText writes names as people type them; as JSON if one has what parts them, and if
// there is none, which is not the same as not being told.
func namesText(names []string) string {
	plain := len(names) > 0 && !strings.HasPrefix(names[0], "[")
	for _, n := range names {
		plain = plain && n != "" && !strings.Contains(n, ";") && strings.TrimSpace(n) == n
	}
	if plain {
		return strings.Join(names, ";")
	}
	text, _ := json.Marshal(append([]string{}, names...)) // texts can always be written
	return string(text)
}
