package mailer

import (
	"fmt"
	html "html/template"
	"strconv"
	"strings"
	"time"
)

// preheaderPadding keeps what follows the preheader out of a mailbox's preview line.
var preheaderPadding = html.HTML(strings.Repeat("&#847;&zwnj;&nbsp;", 60)) //nolint:gosec // a constant

// fonts that have a language's letters, for programs whose own choice lacks them or
// takes another language's shapes.
var fonts = map[string]html.CSS{
	"ja":    "'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP','Yu Gothic UI',Meiryo,",
	"zh-CN": "'PingFang SC','Noto Sans SC','Noto Sans CJK SC','Microsoft YaHei',",
	"ko":    "'Apple SD Gothic Neo','Noto Sans KR','Noto Sans CJK KR','Malgun Gothic',",
	"ar":    "'Geeza Pro','Noto Sans Arabic',Tahoma,",
}

// page is what the two templates print.
type page struct {
	Lang, Start        string
	RTL                bool
	Fonts              html.CSS
	From               string // the app's name as it stands in headers
	App                string // the same among other words
	Subject, Heading   string
	First, Use, Ignore string
	Colon              string
	Code, Life, Share  string // all "" in a mail without a code
	Steps              []step // to take if it was somebody else, may be none
	Link, NotMe        html.HTMLAttr
	LinkURL, NotMeURL  string
	Button, LinkNote   string
	LinkText           string
	Stop, StopText     string
	Details            []detail
	Long               bool
	Padding            html.HTML
}

// step is one thing to do, numbered from 1.
type step struct {
	Number int
	Text   string
}

// detail is one line about how the mail came about.
type detail struct{ Label, Value string }

func (k frameKey) page() (page, error) {
	lang, c := match(catalogues, k.locale)
	usage := string(k.usage)
	app := clean(k.app, maxApp)
	if app == "" {
		app = fallbackApp
	}
	// A usage whose mail has a first line of its own has no code.
	first := "first." + usage
	if (c[first] == "") != (k.code != noCode) {
		return page{}, fmt.Errorf("a mail for usage %q has a code: %t, should be %t", k.usage, k.code != noCode, c[first] == "")
	}
	organization := clean(k.organization, maxApp)
	if organization == "" {
		organization = app
	}
	right := rtl(lang)
	say := func(key string, more ...string) string {
		return c.text(key, append(more, "{app}", bidi(app, right), "{organization}", bidi(organization, right))...)
	}
	p := page{
		Lang: lang, RTL: right, Start: "left", Fonts: fonts[lang], From: app, App: bidi(app, right), Padding: preheaderPadding, Colon: c["colon"],
		Subject: c.text("subject."+usage, "{app}", app, "{organization}", organization),
		Heading: say("subject." + usage), First: say(first), Use: say("use." + usage), Ignore: say("ignore." + usage),
	}
	if right {
		p.Start = "right"
	}
	for n := 1; c[step{Number: n}.key(usage)] != ""; n++ {
		p.Steps = append(p.Steps, step{n, say(step{Number: n}.key(usage))})
	}
	if k.code != noCode {
		p.Code, p.Long = string(markCode), k.code == longCode
		p.First = say("first", "{code}", string(markCode))
		p.Life, p.Share = c.life(lang, k.ttl), say("share")
	}
	p.links(k, c, usage)
	p.add(k.when, c["when"], markWhen)
	p.add(k.where, c["where"], markWhere)
	p.add(k.browser, c["browser"], markBrowser)
	return p, nil
}

// key is "step.USAGE.1", "step.USAGE.2", and so on.
func (s step) key(usage string) string { return "step." + usage + "." + strconv.Itoa(s.Number) }

// links adds the button and the way to say that it was somebody else.
func (p *page) links(k frameKey, c catalogue, usage string) {
	if k.link && c["link."+usage] != "" {
		p.Link, p.LinkURL, p.Button = href(markLink), string(markLink), c["link."+usage]
		p.LinkText = c["link."+usage] + strings.TrimRight(c["colon"], " ")
		if k.code != noCode { // it stands in for the code, and is bound to the same browser
			p.LinkNote, p.LinkText = c["link.note"], c["link.text"]
		}
	}
	if k.notMe {
		p.NotMe, p.NotMeURL, p.Stop = href(markNotMe), string(markNotMe), c["notme"]
		p.StopText = c["notme"] + strings.TrimRight(c["colon"], " ")
	}
}

// href is the attribute whole: within it html/template would encode the mark.
func href(mark rune) html.HTMLAttr {
	return html.HTMLAttr(`href="` + string(mark) + `"`) //nolint:gosec // a constant; the value is escaped where it takes the place of the mark
}

func (p *page) add(known bool, label string, mark rune) {
	if known {
		p.Details = append(p.Details, detail{label, bidi(string(mark), p.RTL)})
	}
}

// asked prints an instant in UTC with the zone named: we do not know the
// reader's zone, and a bare local time would be wrong for most.
func asked(c catalogue, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(c["time.layout"])
}

// webURL is a link of ours, or "" for what a mail program would not open as one.
func webURL(s string) string {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return ""
	}
	return s
}
