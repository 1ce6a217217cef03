package mailer

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainText is the text part for an HTML template, its variables left as they stand:
// paragraphs, lists and table rows on lines of their own, links with their
// address. What is hidden, as a preheader is, is left out.
func plainText(content string) string {
	root, err := html.Parse(strings.NewReader(content))
	if err != nil { // deeper than the parser goes: it is checked at save
		return content
	}
	var p plainWriter
	p.node(root)
	return strings.TrimSpace(p.out.String()) + "\n"
}

// plainWriter writes words with single spaces, and line breaks where blocks meet.
type plainWriter struct {
	out   strings.Builder
	lines int  // breaks that are due before the next word
	space bool // a space is due
	lists []*html.Node
	count []int
}

func (p *plainWriter) node(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		p.text(n.Data)
		return
	case html.ElementNode:
		if silent[n.DataAtom] || hidden(n) {
			return
		}
	case html.CommentNode, html.DoctypeNode:
		return
	}
	p.block(blocks[n.DataAtom])
	switch n.DataAtom {
	case atom.Br:
		p.breaks(p.lines + 1)
	case atom.Hr:
		p.word("---")
	case atom.Img:
		p.text(attribute(n, "alt"))
	case atom.Td, atom.Th:
		p.space = true
	case atom.Ul, atom.Ol:
		p.lists, p.count = append(p.lists, n), append(p.count, 0)
	case atom.Li:
		p.bullet()
	}
	start := p.out.Len()
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.node(c)
	}
	switch n.DataAtom {
	case atom.Ul, atom.Ol:
		p.lists, p.count = p.lists[:len(p.lists)-1], p.count[:len(p.count)-1]
	case atom.A:
		p.address(attribute(n, "href"), strings.TrimSpace(p.out.String()[start:]))
	}
	p.block(blocks[n.DataAtom])
}

// address follows the words of a link, unless they are the address already.
func (p *plainWriter) address(href, words string) {
	switch {
	case href == "" || strings.HasPrefix(href, "#") || strings.TrimPrefix(href, "mailto:") == words || variableIn(href) != "" && variableIn(href) == variableIn(words):
	case words == "":
		p.word(href)
	default:
		after := p.lines // of a block inside of the link
		p.lines = 0
		if !strings.HasSuffix(words, ":") && !strings.HasSuffix(words, "：") {
			p.word(":")
		}
		p.space = true
		p.word(href)
		p.lines = after
	}
}

// variableIn is the name of the variable that is all of a text.
func variableIn(s string) string {
	if at := variable.FindStringSubmatch(s); at != nil && at[0] == strings.TrimSpace(s) {
		return at[1]
	}
	return ""
}

func (p *plainWriter) bullet() {
	mark := "- "
	if last := len(p.lists) - 1; last >= 0 {
		p.count[last]++
		if p.lists[last].DataAtom == atom.Ol {
			mark = strconv.Itoa(p.count[last]) + ". "
		}
		mark = strings.Repeat("  ", last) + mark
	}
	p.word(mark)
	p.space = false
}

func (p *plainWriter) text(s string) {
	const blank = " \t\r\n\f\u00a0"
	if strings.Trim(s, blank) == "" {
		p.space = p.space || s != ""
		return
	}
	p.space = p.space || strings.ContainsRune(blank, rune(s[0]))
	for i, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(blank, r) }) {
		p.space = p.space || i > 0
		p.word(word)
	}
	p.space = strings.ContainsRune(blank, rune(s[len(s)-1])) || strings.HasSuffix(s, "\u00a0")
}

func (p *plainWriter) word(s string) {
	switch {
	case p.out.Len() == 0:
	case p.lines > 0:
		p.out.WriteString(strings.Repeat("\n", p.lines))
	case p.space && s != ":":
		p.out.WriteByte(' ')
	}
	p.lines, p.space = 0, false
	p.out.WriteString(s)
}

func (p *plainWriter) breaks(n int) { p.lines = min(n, 2) }

func (p *plainWriter) block(n int) { p.lines = max(p.lines, n) }

// blocks are the line breaks around elements.
var blocks = map[atom.Atom]int{
	atom.P: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2, atom.Ul: 2, atom.Ol: 2, atom.Table: 2, atom.Blockquote: 2,
	atom.Pre: 2, atom.Hr: 2, atom.Div: 1, atom.Section: 1, atom.Article: 1, atom.Header: 1, atom.Footer: 1, atom.Main: 1, atom.Li: 1, atom.Tr: 1,
	atom.Center: 1, atom.Dt: 1, atom.Dd: 1, atom.Address: 1,
}

// silent are the elements that nobody reads.
var silent = map[atom.Atom]bool{atom.Head: true, atom.Style: true, atom.Script: true, atom.Title: true, atom.Template: true}

func hidden(n *html.Node) bool {
	style := strings.ToLower(strings.Join(strings.Fields(attribute(n, "style")), ""))
	return strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}
