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
		fmt.Fprintf(&b, "%s %s\n", marks[c.Action], shownName(Thing{c.Section, c.Key}.String()))
		paths := maps.Clone(c.Before)
		if paths == nil {
			paths = map[string]any{}
		}
		maps.Copy(paths, c.After)
		for _, path := range slices.Sorted(maps.Keys(paths)) {
			before, was := c.Before[path]
			after, is := c.After[path]
			switch name := shownName(path); {
			case was && is:
				printChange(&b, name, before, after)
			case is:
				fmt.Fprintf(&b, "    + %s: %s\n", name, shown(after))
			default:
				fmt.Fprintf(&b, "    - %s: %s\n", name, shown(before))
			}
		}
	}
	for _, t := range p.Unlisted {
		fmt.Fprintf(&b, "? %s is not in the file, and stays (--prune deletes it)\n", shownName(t.String()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printChange tells of a field that was and is; of lists of texts, what came and what went.
func printChange(b *strings.Builder, name string, before, after any) {
	was, listed := texts(before)
	is, stillListed := texts(after)
	gone := slices.DeleteFunc(slices.Clone(was), func(one string) bool { return slices.Contains(is, one) })
	come := slices.DeleteFunc(slices.Clone(is), func(one string) bool { return slices.Contains(was, one) })
	if !listed || !stillListed || len(gone)+len(come) == 0 { // another order
		fmt.Fprintf(b, "    %s: %s -> %s\n", name, shown(before), shown(after))
		return
	}
	fmt.Fprintf(b, "    %s:\n", name)
	for _, one := range gone {
		fmt.Fprintf(b, "      - %s\n", shown(one))
	}
	for _, one := range come {
		fmt.Fprintf(b, "      + %s\n", shown(one))
	}
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
	if t.Key == "" || t.Key == t.Section { // all, or there is one
		return t.Section
	}
	return t.Section + "[" + t.Key + "]"
}

// shownName is the name of a thing or field without what controls a terminal.
func shownName(text string) string { return strings.Map(harmless, text) }

// harmless replaces what controls a terminal: a name may be from whoever may use the API.
func harmless(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return unicode.ReplacementChar
	}
	return r
}

func shown(v any) string {
	var raw strings.Builder
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := strings.Map(harmless, strings.TrimSuffix(raw.String(), "\n"))
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
