package mailer

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// open is an element that waits for its end.
type open struct {
	tag  atom.Atom
	name string
	at   int // where it starts
}

// html checks that the elements of a template are closed, and that nothing in it runs.
// Mail programs drop scripts; the pages that show previews shall not have to.
func (c *checker) html(content string) {
	var stack []open
	at := 0
	z := html.NewTokenizer(strings.NewReader(content))
	for !c.full() {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		start := at
		raw := string(z.Raw())
		at += len(raw)
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			c.element(content, start, raw, t)
			if kind == html.StartTagToken && !void[t.DataAtom] {
				stack = append(stack, open{t.DataAtom, t.Data, start})
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			stack = c.end(content, start, string(name), stack)
		case html.TextToken:
			if len(stack) > 0 && stack[len(stack)-1].tag == atom.Style && variable.MatchString(raw) {
				c.object("%s: a variable in <style>, where its value would be read as rules", lineAt(content, start))
			}
		case html.CommentToken, html.DoctypeToken, html.ErrorToken:
		}
	}
	for _, o := range stack {
		if !endless[o.tag] && !c.full() {
			c.object("%s: <%s> is never closed", lineAt(content, o.at), excerpt(o.name))
		}
	}
	if _, err := html.Parse(strings.NewReader(content)); err != nil {
		c.object("the elements stand too deep in each other")
	}
}

// end closes an element and those in it whose end may be left out.
func (c *checker) end(content string, at int, name string, stack []open) []open {
	if tag := atom.Lookup([]byte(name)); void[tag] {
		return stack
	}
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i].name == name {
			return stack[:i]
		}
		if !endless[stack[i].tag] {
			c.object("%s: </%s> stands where <%s> of %s is open", lineAt(content, at), excerpt(name), excerpt(stack[i].name), lineAt(content, stack[i].at))
			// Go on as if the one that was meant had been closed.
			for ; i >= 0; i-- {
				if stack[i].name == name {
					return stack[:i]
				}
			}
			return stack
		}
	}
	c.object("%s: </%s> closes nothing", lineAt(content, at), excerpt(name))
	return stack
}

// element checks one start tag.
func (c *checker) element(content string, at int, raw string, t html.Token) {
	line := lineAt(content, at)
	if active[t.DataAtom] {
		c.object("%s: <%s> is not for mails", line, t.Data)
	}
	for _, a := range t.Attr {
		value := strings.ToLower(compact(a.Val))
		switch {
		case strings.HasPrefix(a.Key, "on"):
			c.object("%s: %s runs a script, which is not for mails", line, excerpt(a.Key))
		case a.Key == "http-equiv" && value == "refresh":
			c.object("%s: a mail cannot send its reader elsewhere", line)
		case a.Key != "href" && a.Key != "src" && a.Key != "background" && a.Key != "action" && a.Key != "formaction":
		case strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "vbscript:") || strings.HasPrefix(value, "data:") && !strings.HasPrefix(value, "data:image/"):
			c.object("%s: %s is not an address of the web", line, a.Key)
		case startsWithName(value):
			c.object("%s: %s begins with a variable that is no address: only {{ link }} and {{ notMe }} are", line, a.Key)
		}
	}
	if bare(raw) {
		c.object("%s: a variable inside of <%s> stands in quotes", line, excerpt(t.Data))
	}
}

// compact leaves out what browsers leave out of addresses: spaces, and controls, which
// can be written as &#1; too (URL Standard, section 4.4).
func compact(address string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, address)
}

// bare tells that a start tag has a variable outside of quotes, where a space in its
// value would begin another attribute.
func bare(tag string) bool {
	var quote byte
	for i := range len(tag) {
		switch ch := tag[i]; {
		case quote != 0:
			if ch == quote {
				quote = 0
			}
		case ch == '"' || ch == '\'':
			quote = ch
		case strings.HasPrefix(tag[i:], "{{"):
			return true
		}
	}
	return false
}

// startsWithName tells that an address begins with a variable that can be anything.
func startsWithName(address string) bool {
	if !strings.HasPrefix(address, "{{") {
		return false
	}
	at := variable.FindStringSubmatch(address)
	return at == nil || at[1] != "link" && at[1] != "notme"
}

// void are the elements without an end, endless those whose end may be left out (HTML
// section 13.1.2), active those that run or reach out. In svg and math the same text is read by
// other rules, so that what is looked at here is not what a browser sees; mail programs
// show neither.
var (
	void = map[atom.Atom]bool{atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true,
		atom.Input: true, atom.Link: true, atom.Meta: true, atom.Param: true, atom.Source: true, atom.Track: true, atom.Wbr: true}
	endless = map[atom.Atom]bool{atom.Html: true, atom.Head: true, atom.Body: true, atom.P: true, atom.Li: true, atom.Dt: true, atom.Dd: true,
		atom.Tr: true, atom.Td: true, atom.Th: true, atom.Thead: true, atom.Tbody: true, atom.Tfoot: true, atom.Option: true, atom.Colgroup: true}
	active = map[atom.Atom]bool{atom.Script: true, atom.Iframe: true, atom.Frame: true, atom.Object: true, atom.Embed: true, atom.Applet: true,
		atom.Base: true, atom.Form: true, atom.Input: true, atom.Button: true, atom.Textarea: true, atom.Select: true, atom.Svg: true, atom.Math: true}
)
