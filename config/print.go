package config

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// maxShown cuts long values, such as mail templates, in a printed plan.
const maxShown = 160

// Print writes a plan as people read it.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	marks := map[Action]string{Create: "+", Update: "~", Delete: "-"}
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s\n", marks[c.Action], shownName(Thing{c.Section, c.Key}))
		paths := slices.Collect(maps.Keys(c.After))
		for path := range c.Before {
			if _, both := c.After[path]; !both {
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		for _, path := range paths {
			before, was := c.Before[path]
			after, is := c.After[path]
			a, okA := texts(before)
			z, okZ := texts(after)
			switch {
			case was && is && okA && okZ: // lists of words: what came and what went
				fmt.Fprintf(&b, "    %s:\n", path)
				for _, one := range a {
					if !slices.Contains(z, one) {
						fmt.Fprintf(&b, "      - %s\n", shown(one))
					}
				}
				for _, one := range z {
					if !slices.Contains(a, one) {
						fmt.Fprintf(&b, "      + %s\n", shown(one))
					}
				}
				if len(a) == len(z) && !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(z, s) }) {
					fmt.Fprintf(&b, "      %s -> %s\n", shown(before), shown(after))
				}
			case was && is:
				fmt.Fprintf(&b, "    %s: %s -> %s\n", path, shown(before), shown(after))
			case is:
				fmt.Fprintf(&b, "    + %s: %s\n", path, shown(after))
			default:
				fmt.Fprintf(&b, "    - %s: %s\n", path, shown(before))
			}
		}
	}
	for _, t := range p.Unlisted {
		fmt.Fprintf(&b, "? %s is not in the file, and stays (--prune deletes it)\n", shownName(t))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Summary says in a line what a plan comes to, or came to once it is done.
func (p *Plan) Summary(done bool) string {
	n := map[Action]int{}
	for _, c := range p.Changes {
		n[c.Action]++
	}
	form := "%d to create, %d to change, %d to delete, %d unchanged"
	if done {
		form = "%d created, %d changed, %d deleted, %d unchanged"
	}
	return fmt.Sprintf(form, n[Create], n[Update], n[Delete], p.Same)
}

// String names a thing: connectors[aws-ses-mail].
func (t Thing) String() string {
	if t.Key == t.Section { // there is one
		return t.Section
	}
	return t.Section + "[" + t.Key + "]"
}

// shownName is the name of a thing without what controls a terminal.
func shownName(t Thing) string { return strings.Trim(shown(t.String()), `"`) }

func shown(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	// What controls a terminal is none of a value's business.
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return unicode.ReplacementChar
		}
		return r
	}, string(raw))
	if runes := []rune(text); len(runes) > maxShown {
		return fmt.Sprintf("%s… (%d characters)", string(runes[:maxShown]), len(runes))
	}
	return text
}

// texts reads a list of texts.
func texts(v any) (out []string, ok bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	for _, one := range list {
		text, is := one.(string)
		if !is {
			return nil, false
		}
		out = append(out, text)
	}
	return out, true
}
