package users

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"idp/store"
	"idp/web/console/shell"
)

type dataView struct {
	shell.Frame
	shell.Form
	head
}

// editable is custom data as it stands in the editor.
func editable(u store.User) url.Values {
	var b bytes.Buffer
	if len(u.CustomData) == 0 || json.Indent(&b, u.CustomData, "", "  ") != nil {
		b.Reset()
		b.WriteString("{}")
	}
	return url.Values{"customData": {b.String()}}
}

// data is GET /console/users/ID/data.
func (p *Pages) data(v *shell.Visit) error {
	u, err := p.of(v)
	if err != nil {
		return err
	}
	return p.showData(v, http.StatusOK, u, shell.NewForm(editable(u), u.UpdatedAt))
}

func (p *Pages) showData(v *shell.Visit, status int, u store.User, f shell.Form) error {
	return v.Show(status, p.set, "data", &dataView{v.Frame(shell.Users), f, headOf(v, u, "/data")})
}

// saveData is POST /console/users/ID/data.
func (p *Pages) saveData(v *shell.Visit) error {
	id, f := v.Param("id"), v.Typed()
	now, err := p.of(v)
	if err != nil {
		return err
	}
	text, wrong := compact(v, v.Got("customData"))
	if wrong != "" {
		f.Reject("customData", wrong)
		return p.showData(v, statusOf(f), now, f)
	}
	_, err = p.admin.UpdateUser(v.R.Context(), v.By, id, f.Seen(), func(u *store.User) error {
		u.CustomData = text
		return nil
	})
	switch {
	case err == nil:
		return v.Done(path(id, "/data"), v.T("Saved."))
	case store.CodeOf(err) == store.Changed:
		if now, err = p.of(v); err != nil {
			return err
		}
		f.Changed(editable(now), now.UpdatedAt, [2]string{"customData", v.T("Custom data")})
	case !f.Take(v, err):
		return err
	}
	return p.showData(v, statusOf(f), now, f)
}

// compact is a JSON text without the spaces between its parts; wrong says what is wrong with
// it, and where. Nothing at all stands for no data.
func compact(v *shell.Visit, text string) (out json.RawMessage, wrong string) {
	if text == "" {
		text = "{}"
	}
	var whole json.RawMessage
	err := json.Unmarshal([]byte(text), &whole) // which knows where it fails
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		before := text[:min(max(int(syntax.Offset)-1, 0), len(text))]
		if strings.HasPrefix(syntax.Error(), "unexpected end") {
			before = text
		}
		start := strings.LastIndexByte(before, '\n') + 1
		return nil, v.T("Line %d, column %d: %s.", 1+strings.Count(before, "\n"), 1+utf8.RuneCountInString(before[start:]), syntax.Error())
	case err != nil:
		return nil, err.Error()
	}
	var b bytes.Buffer
	if err := json.Compact(&b, whole); err != nil || b.String() == "{}" {
		return nil, ""
	}
	return b.Bytes(), ""
}
