package doctor

import (
	"context"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// checkDMARC: RFC 7489. The record of the domain itself counts, else the one of the
// domain that the organization registered (section 6.6.3).
func (d Domain) checkDMARC(ctx context.Context, tell Tell) {
	const check = "DMARC"
	names := []string{d.Name}
	organization, err := publicsuffix.EffectiveTLDPlusOne(d.Name)
	if err == nil && organization != d.Name {
		names = append(names, organization)
	}
	for _, name := range names {
		records, err := txt(ctx, d.DNS, "_dmarc."+name)
		if err != nil {
			d.unasked(tell, check, "_dmarc."+name, err)
			return
		}
		found := dmarcRecords(records)
		if len(found) > 1 {
			tell.Fail(check, "Leave one of them.", "_dmarc.%s has %d DMARC records, and receivers take none of them when there is more than one", name, len(found))
			return
		}
		if len(found) == 1 {
			d.judgeDMARC(tell, name, found[0])
			return
		}
	}
	tell.Warn(check, "Add this record, and read the reports before asking for more than none:\n"+
		record("_dmarc."+d.Name, "v=DMARC1; p=none; rua=mailto:dmarc@"+names[len(names)-1]),
		"%s has no DMARC record: large mail providers put mails of such domains aside", d.Name)
}

func dmarcRecords(records []string) (out []string) {
	for _, r := range records {
		if strings.EqualFold(tags(r)["v"], "DMARC1") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(r)), "v") {
			out = append(out, r)
		}
	}
	return out
}

func (d Domain) judgeDMARC(tell Tell, name, found string) {
	const check = "DMARC"
	t := tags(found)
	policy := strings.ToLower(t["p"])
	if sub, ok := t["sp"]; ok && name != d.Name {
		policy = strings.ToLower(sub)
	}
	aligned := ""
	if d.Include == ses {
		aligned = "; mails through SES pass by their DKIM signature, so it has to be of " + d.Name
		if strings.EqualFold(t["adkim"], "s") {
			aligned += " exactly (adkim=s)"
		}
	}
	switch policy {
	case "none":
		tell.OK(check, "_dmarc.%s only watches (p=none): quarantine protects the name better, once the reports are clean%s", name, aligned)
	case "quarantine", "reject":
		tell.OK(check, "_dmarc.%s asks receivers to %s what fails%s", name, policy, aligned)
	default:
		tell.Fail(check, "Write p=none, p=quarantine or p=reject:\n"+record("_dmarc."+name, "v=DMARC1; p=none"),
			"the record at _dmarc.%s has no policy that receivers know (p=%s)", name, t["p"])
	}
}
