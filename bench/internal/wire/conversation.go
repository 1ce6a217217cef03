package wire

import "strings"

// conversation is one connection: what its prepared statements and portals stand for.
type conversation struct {
	proxy      *Proxy
	started    bool
	statements map[string]string // name to SQL
	portals    map[string]string // name to SQL
}

// count looks at one message of the client.
func (c *conversation) count(kind byte, body []byte) {
	text := string(body)
	switch kind {
	case 'P': // Parse: name, SQL, …
		name, rest, _ := strings.Cut(text, "\x00")
		sql, _, _ := strings.Cut(rest, "\x00")
		c.statements[name] = sql
	case 'B': // Bind: portal, statement, …
		portal, rest, _ := strings.Cut(text, "\x00")
		name, _, _ := strings.Cut(rest, "\x00")
		c.portals[portal] = c.statements[name]
	case 'E': // Execute: portal, …
		portal, _, _ := strings.Cut(text, "\x00")
		c.proxy.executed(c.portals[portal])
	case 'Q': // Query: SQL; answered at once
		sql, _, _ := strings.Cut(text, "\x00")
		c.proxy.executed(sql)
		c.proxy.waited()
	case 'S': // Sync
		c.proxy.waited()
	}
}

func (p *Proxy) executed(sql string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Statements++
	p.counts.ByText[strings.Join(strings.Fields(sql), " ")]++
}

func (p *Proxy) waited() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.RoundTrips++
}
