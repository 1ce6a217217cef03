package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxLookups is RFC 7208 section 4.6.4: a receiver that needs more gives up.
const maxLookups = 10

// checkSPF: RFC 7208.
func (d Domain) checkSPF(ctx context.Context, tell Tell, records []string) {
	const check = "SPF"
	found := spfRecords(records)
	switch len(found) {
	case 0:
		text := d.Name + " has no SPF record"
		if d.Include == ses {
			text += " (mails that bounce to a subdomain of amazonses.com pass all the same; some receivers look here as well)"
		}
		tell.Warn(check, "Add this record:\n"+record(d.Name, d.spfToAdd()), "%s", text)
		return
	case 1:
	default:
		tell.Fail(check, "Leave one record, for example:\n"+record(d.Name, merged(found)),
			"%s has %d SPF records, and receivers take none of them when there is more than one", d.Name, len(found))
		return
	}
	w := walk{dns: d.DNS, domain: d.Name}
	err := w.visit(ctx, found[0], 0)
	switch {
	case err != nil:
		d.unasked(tell, check, "an SPF record that "+d.Name+" includes", err)
	case w.broken != "":
		tell.Fail(check, "Take it out of the record:\n"+record(d.Name, found[0]), "the SPF record of %s %s: receivers take the whole record for an error", d.Name, w.broken)
	case w.lookups > maxLookups:
		tell.Fail(check, "Take out what no longer sends, or put networks (ip4:, ip6:) in the place of includes.",
			"the SPF record of %s needs at least %d lookups, and receivers stop at %d", d.Name, w.lookups, maxLookups)
	case slices.ContainsFunc(strings.Fields(found[0]), isPlusAll):
		tell.Fail(check, "Write:\n"+record(d.Name, strings.Join(append(withoutAll(found[0]), "~all"), " ")),
			"the SPF record of %s ends in +all: everybody may send in its name", d.Name)
	case d.Include != "" && !slices.Contains(w.included, d.Include):
		tell.Warn(check, "Write:\n"+record(d.Name, withInclude(found[0], d.Include)), "the SPF record of %s does not include %s", d.Name, d.Include)
	case !w.ends:
		tell.Warn(check, "Write:\n"+record(d.Name, found[0]+" ~all"), "the SPF record of %s has no end: it says nothing of other senders", d.Name)
	default:
		tell.OK(check, "%s has one record, %d of %d lookups", d.Name, w.lookups, maxLookups)
	}
}

const ses = "amazonses.com"

func spfRecords(records []string) (out []string) {
	for _, r := range records {
		if lower := strings.ToLower(r); lower == "v=spf1" || strings.HasPrefix(lower, "v=spf1 ") {
			out = append(out, strings.TrimSpace(r))
		}
	}
	return out
}

func (d Domain) spfToAdd() string {
	switch {
	case d.Include != "":
		return "v=spf1 include:" + d.Include + " ~all"
	case d.Host == d.Name || strings.HasSuffix(d.Host, "."+d.Name):
		return "v=spf1 a:" + d.Host + " ~all"
	}
	return "v=spf1 include:(what your mail provider names) ~all"
}

func isAll(term string) bool { return strings.EqualFold(strings.TrimLeft(term, "+-~?"), "all") }

func isPlusAll(term string) bool {
	return isAll(term) && (term[0] == '+' || term[0] == 'a' || term[0] == 'A')
}

func withoutAll(record string) []string {
	return slices.DeleteFunc(strings.Fields(record), isAll)
}

func withInclude(record, include string) string {
	terms := strings.Fields(record)
	at := slices.IndexFunc(terms, isAll)
	if at < 0 {
		at = len(terms)
	}
	return strings.Join(slices.Insert(terms, at, "include:"+include), " ")
}

// merged puts several records into one: all their senders, and the strictest end.
func merged(records []string) string {
	out, end := []string{"v=spf1"}, "~all"
	for _, r := range records {
		for _, term := range strings.Fields(r)[1:] {
			switch {
			case strings.EqualFold(term, "-all"):
				end = "-all"
			case !isAll(term) && !slices.Contains(out, term):
				out = append(out, term)
			}
		}
	}
	return strings.Join(append(out, end), " ")
}

// walk counts what a receiver has to look up.
type walk struct {
	dns      Resolver
	domain   string
	lookups  int
	included []string
	broken   string // why receivers take the record for an error
	ends     bool   // with all or a redirect
}

// visit reads one record and those it includes. It stops at twice the limit: by then it
// is known.
func (w *walk) visit(ctx context.Context, record string, depth int) error {
	for _, term := range strings.Fields(record)[1:] {
		if w.lookups > 2*maxLookups || w.broken != "" || depth > 2*maxLookups {
			return nil
		}
		if isAll(term) {
			w.ends = w.ends || depth == 0
			continue
		}
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimLeft(term, "+-~?")), ":")
		if target, ok := strings.CutPrefix(strings.ToLower(term), "redirect="); ok {
			w.ends = w.ends || depth == 0
			name, value = "redirect", target
		}
		mechanism, _, _ := strings.Cut(name, "/")
		switch mechanism {
		case "a", "mx", "ptr", "exists":
			w.lookups++
		case "include", "redirect":
			w.lookups++
			if err := w.follow(ctx, name, value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) follow(ctx context.Context, name, target string, depth int) error {
	if strings.Contains(target, "%") { // a macro: it depends on the mail
		return nil
	}
	w.included = append(w.included, target)
	records, err := txt(ctx, w.dns, target)
	if err != nil {
		return err
	}
	found := spfRecords(records)
	if len(found) != 1 {
		w.broken = fmt.Sprintf("has %s:%s, where there are %d SPF records in the place of one", name, target, len(found))
		return nil
	}
	return w.visit(ctx, found[0], depth+1)
}
