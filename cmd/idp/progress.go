package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// How often progress is told: on a terminal, in a line that is written over; elsewhere, in
// lines for a log.
const (
	progressOnTerminal = 200 * time.Millisecond
	progressInLog      = 10 * time.Second
)

// progress tells on standard error how far a long command is. The zero value tells nothing.
type progress struct {
	out         io.Writer // nil: nobody is told
	terminal    bool
	size        int64 // of the file, bytes; 0: not known
	began, told time.Time
	drawn       bool
}

func (a *app) newProgress(size int64) *progress {
	now := time.Now()
	return &progress{out: a.stderr, terminal: isTerminal(a.stderr), size: size, began: now, told: now}
}

// show says that n people are done, and how many bytes of the file.
func (p *progress) show(n int, bytes int64) {
	every := progressInLog
	if p.terminal {
		every = progressOnTerminal
	}
	now := time.Now()
	if p.out == nil || now.Sub(p.told) < every {
		return
	}
	p.told = now
	took := now.Sub(p.began)
	text := fmt.Sprintf("%d people, %.0f/s", n, float64(n)/took.Seconds())
	bar := ""
	if p.size > 0 && bytes > 0 {
		part := min(float64(bytes)/float64(p.size), 1)
		left := time.Duration(float64(took) * (1 - part) / part).Round(time.Second)
		text = fmt.Sprintf("%3.0f %%, %s, %s left", 100*part, text, left)
		full := int(30 * part)
		bar = "[" + strings.Repeat("#", full) + strings.Repeat(".", 30-full) + "] "
	}
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s%s", bar, text)
	p.drawn = true
}

// clear takes the line away.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.drawn = false
	}
}
